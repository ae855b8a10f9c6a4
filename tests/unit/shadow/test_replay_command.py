"""Does `shadow replay` hold its estimates and its tuning against the truth of the file, and say what is wrong with a file?"""

import json
from io import StringIO
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from router.scorers.model_directory import save_model
from shadow.cli.replay import replay
from shadow.outcome_file import read_outcomes
from shadow.replay.frontier import frontier_of
from shadow.replay.population import Population
from shadow.replay.report_text import print_replay
from shadow.replay.scoring import cross_fitted_scores
from shadow.training.fit import design, fit
from shadow.training.observed import of_rows

KINDS = {"prove": (0.1, 0.6, 0.95), "add": (0.97, 0.97, 0.98), "guess": (0.3, 0.35, 0.4)}
COSTS = (0.001, 0.003, 0.03)
TIERS = ("fast", "top")


def lines(count=150, tiers=TIERS, *, texts=False, chances=KINDS):
    """The kind of a request says how hard it is; an answer is the number 7 where it is right."""
    rng = np.random.default_rng(5)
    found = []
    for at in range(count):
        kind = list(chances)[at % 3]
        outcomes = {}
        for place, tier in enumerate(tiers):
            right = int(rng.random() < chances[kind][place - len(tiers)])
            said = f"The answer is {7 if right else 8 + place}." if texts else None
            outcomes[tier] = {"success": right, "cost_usd": COSTS[place - len(tiers)], "completion": said}
        found.append({"id": at, "prompt": f"{kind} item {at}", "query_type": kind, "outcomes": outcomes})
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model trained on other rows of the same world, so that most tests need no fit."""
    path = written(tmp_path_factory.mktemp("other"), lines(90))
    rows = list(read_outcomes(path))
    directory = path.parent / "model"
    observed = of_rows(rows)
    save_model(fit(design([r.features for r in rows]), observed.successes, observed.tiers, seed=0).model, directory)
    return directory


def written(directory, rows):
    path = directory / "outcomes.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def run(path, *options, code=0):
    found = CliRunner().invoke(replay, [str(path), "--json", *map(str, options)])
    assert found.exit_code == code, found.output
    return json.loads(found.stdout) if code < 2 else found.output


def test_estimates_and_tuning_are_held_against_the_truth_of_the_file(tmp_path, model):
    rows = lines(300)
    plot = tmp_path / "frontier.svg"
    options = ("--model", model, "--requests", 20_000, "--repeat", 30, "--epsilon", 0.05, "--plot", plot)
    report = run(written(tmp_path, rows), *options)
    mean = np.mean([[o["success"] for o in row["outcomes"].values()] for row in rows], axis=0)
    assert [report["frontier"]["always"][t]["accuracy"] for t in report["tiers"]] == pytest.approx(list(mean))
    everything = report["accuracy"]["overall"]
    assert everything["truth"] == report["frontier"]["starting_policy"]["accuracy"]
    for part in (*report["accuracy"]["tiers"], everything):
        assert part["corrected"]["runs"] == 30
        assert part["corrected"]["coverage"]["high"] > 0.95
        assert abs(part["corrected"]["bias"]["value"]) < 0.01
    tuning = report["tuning"]
    assert tuning["certified_cheaper"]["value"] > 0.9
    assert tuning["policy"]["loss_above_epsilon"]["kept"]
    assert tuning["cost"]["within_always_top"]["value"] > 0.9
    assert tuning["regret"]["oracle"]["usd_per_1000"]["low"] > 0
    assert report["frontier"]["best_fixed_policy"]["loss"] <= 0.05
    assert report["frontier"]["oracle"]["loss"] <= 0
    assert ElementTree.fromstring(plot.read_text()).tag.endswith("svg")
    for width in (80, 100):
        console = Console(width=width, record=True, file=StringIO())
        print_replay(report, console)
        assert max(len(line) for line in console.export_text().splitlines()) <= width


def test_verdicts_alone_are_uncertified_and_labels_put_them_right(tmp_path, model, monkeypatch):
    monkeypatch.setattr("judges.registry.DEFAULT", ("structured",))
    path = written(tmp_path, lines(texts=True))
    options = ("--model", model, "--requests", 4_000, "--sample-rate", 0.4, "--judge", "panel", "--epsilon", 0.1)
    alone = run(path, *options, "--repeat", 5)
    assert alone["tuning"]["outcomes"]["certified"] == 0
    assert alone["tuning"]["certified_cheaper"]["value"] == 0
    assert alone["tuning"]["cost"]["within_always_top"]["value"] == 0
    assert alone["accuracy"]["overall"]["corrected"]["runs"] == 0
    assert any("--labels" in note for note in alone["notes"])
    # A judge that errs, and takes the top tier to be always right, is far off.
    assert abs(alone["accuracy"]["overall"]["raw"]["bias"]["value"]) > 0.02
    labelled = run(path, *options, "--repeat", 20, "--labels", 300)
    assert labelled["accuracy"]["overall"]["labelled"]["value"] == 300
    assert labelled["accuracy"]["overall"]["corrected"]["coverage"]["high"] > 0.95
    assert labelled["accuracy"]["overall"]["raw"]["coverage"]["high"] < 0.95
    more = run(path, *options, "--repeat", 3, "--labels", 50_000)
    assert more["tuning"]["outcomes"]["certified"] == 3
    assert more["accuracy"]["overall"]["labelled"]["value"] < 4_000
    assert any("only what is mirrored can be labelled" in note for note in more["notes"])


def test_a_replay_is_the_same_again_with_the_same_seed_and_needs_no_model(tmp_path):
    path = written(tmp_path, lines(60))
    first, again = (run(path, "--requests", 500, "--repeat", 2, "--seed", 4) for _ in range(2))
    assert first == again
    assert first["scorer"]["folds"] == 5
    assert first["accuracy"]["overall"]["corrected"]["coverage"]["finding"] == "undecided"


def test_no_row_has_a_say_in_its_own_score(tmp_path):
    rows = lines(60)
    rows[1]["prompt"] = rows[0]["prompt"]  # the same question twice is not parted
    before = cross_fitted_scores(list(read_outcomes(written(tmp_path, rows))), seed=0)
    for at in (0, 1):
        for outcome in rows[at]["outcomes"].values():
            outcome["success"] = 1 - outcome["success"]
    after = cross_fitted_scores(list(read_outcomes(written(tmp_path, rows))), seed=0)
    assert (before[:2] == after[:2]).all()
    assert (before[2:] != after[2:]).any()


def test_bad_lines_are_named_and_tiers_in_another_order_are_put_in_order(tmp_path, model):
    rows = lines(60)
    turned = {**rows[1], "outcomes": dict(reversed(rows[1]["outcomes"].items()))}
    other = {**rows[2], "outcomes": {"fast": {"success": 1, "cost_usd": 1}, "new": {"success": 1, "cost_usd": 1}}}
    path = written(tmp_path, [rows[0], turned, other, "{", *rows[3:]])
    report = run(path, "--model", model, "--requests", 200, "--repeat", 2, code=1)
    assert [bad["line"] for bad in report["bad_lines"]] == [3, 4]
    assert report["rows"] == 59
    assert report["tiers"] == ["fast", "top"]
    assert report["frontier"]["always"]["top"]["usd_per_1000"] == pytest.approx(30)


def test_a_dominated_tier_a_better_cheap_one_and_an_odd_order_are_said(tmp_path):
    chances = dict.fromkeys(KINDS, (0.9, 0.5, 0.5))
    report = run(
        written(tmp_path, lines(60, ("fast", "middle", "top"), chances=chances)), "--requests", 20_000, "--repeat", 2
    )
    assert set(report["frontier"]["dominated"]) == {"middle", "top"}
    assert report["tuning"]["policy"]["loss"]["value"] < 0
    assert report["tuning"]["outcomes"]["certified"] == 2
    dear_first = lines(60, ("a", "b"))
    for row in dear_first:
        row["outcomes"]["a"]["cost_usd"] = 1.0
    notes = run(written(tmp_path, dear_first), "--requests", 200, "--repeat", 1)["notes"]
    assert any("b costs less than a" in note for note in notes)


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([], (), "no usable line"),
        (lines(3, ("top",)), (), "at least two tiers"),
        (lines(10), (), "10 usable lines"),
        (lines(60), ("--judge", "panel"), "has nothing to read"),
        (lines(60), ("--epsilon", 1), "--epsilon"),
        (lines(60), ("--delta", 0), "--delta"),
        (lines(60), ("--sample-rate", 0), "--sample-rate"),
        (lines(60), ("--sample-rate", 1.5), "--sample-rate"),
        (lines(60), ("--repeat", 0), "--repeat"),
        (lines(60), ("--plot", "frontier.pdf"), "has to end in .svg or .png"),
        (lines(60), ("--model", "nowhere"), "nowhere"),
    ],
)
def test_wrong_use_is_one_clear_line(tmp_path, rows, options, said):
    assert said in run(written(tmp_path, rows), *options, code=2)


def test_the_oracle_and_the_best_fixed_policy_are_what_their_names_say():
    successes = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    population = Population(
        tiers=("fast", "top"),
        successes=successes,
        costs_usd=np.array([[1.0, 10.0]] * 4),
        scores=np.array([[0.9, 1.0], [0.1, 1.0], [0.5, 1.0], [0.95, 1.0]]),
        kinds=("unknown",),
        kind=np.zeros(4, dtype=np.int64),
    )
    found = frontier_of(population, epsilon=0.01)
    assert (found.oracle.accuracy, found.oracle.cost_usd) == (0.75, 3.25)
    assert (found.best.accuracy, found.best.cost_usd) == (0.5, 1.0)
    assert found.dominated == {"top": "fast"}
