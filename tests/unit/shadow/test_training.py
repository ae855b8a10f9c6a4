"""Does training find what is in the outcomes, and are the figures of an evaluation those of their definitions?"""

import gzip
import json
import math

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from router.features import extract_features
from router.scorers.learned import LearnedScorer
from router.scorers.model_directory import load_model
from shadow.cli.evaluate import evaluate
from shadow.cli.train import train
from shadow.json_lines import BadLine
from shadow.outcome_file import read_outcomes
from shadow.training.evaluation import cost_curve
from shadow.training.fit import fit
from shadow.training.routing_quality import routing_quality

TIERS = ("fast", "top")


def asked(text):
    return extract_features({"messages": [{"role": "user", "content": text}]})


def a_world(count=480):
    """Proofs are too hard for the cheap tier, sums for neither tier, riddles for both: only proofs gain from going up."""
    rng = np.random.default_rng(7)
    kinds = {
        "prove the lemma about": (0.1, 0.95),
        "add up the numbers": (0.97, 0.98),
        "solve the riddle of": (0.05, 0.06),
    }
    rows = []
    for at in range(count):
        kind = list(kinds)[at % 3]
        text = f"{kind} item {at} " + "filler " * int(rng.integers(0, 12))
        rows.append((text, [int(rng.random() < chance) for chance in kinds[kind]]))
    return rows


def outcome_line(at, text, successes, **more):
    outcomes = {
        tier: {"success": success, "cost_usd": cost}
        for tier, success, cost in zip(TIERS, successes, (0.001, 0.01), strict=True)
    }
    return {"id": at, "prompt": text, "outcomes": outcomes, **more}


def write(path, rows):
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture
def world(tmp_path):
    return write(tmp_path / "world.jsonl.gz", [outcome_line(at, *row) for at, row in enumerate(a_world())])


def run(command, *arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_training_learns_where_the_top_tier_gains_and_not_where_success_is_rare(world, tmp_path):
    assert run(train, world, "--out", tmp_path / "model").exit_code == 0
    scorer = LearnedScorer.load(tmp_path / "model", TIERS)
    proof, easy, riddle = (
        scorer.scores(asked(text))["fast"]
        for text in ("prove the lemma about item 9", "add up the numbers item 9", "solve the riddle of item 9")
    )
    assert proof < 0.6
    assert min(easy, riddle) > proof + 0.2


def test_the_other_half_shows_that_it_beats_length(world, tmp_path):
    run(train, world, "--out", tmp_path / "model", "--split", "a")
    done = run(evaluate, world, "--model", tmp_path / "model", "--split", "b", "--resamples", 200, "--json")
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert report["trained_on_these"] is False
    assert report["routing"]["learned"]["apgr"]["value"] > 0.7
    assert report["routing"]["difference"]["apgr"]["low"] > 0
    assert report["tiers"]["fast"]["auc"] > 0.8
    assert report["tiers"]["fast"]["calibration_error"] < 0.15
    first, last = report["curve"][0], report["curve"][-1]
    assert first["shares"] == {"fast": 1.0, "top": 0.0}
    assert last["shares"] == {"fast": 0.0, "top": 1.0}
    assert last["usd_per_1000"] == pytest.approx(10)


@pytest.mark.parametrize("options", [(), ("--split", "a"), ("--split", "b", "--seed", "3")])
def test_rows_that_training_has_seen_are_pointed_out(world, tmp_path, options):
    run(train, world, "--out", tmp_path / "model", "--split", "a")
    done = run(evaluate, world, "--model", tmp_path / "model", "--resamples", 20, *options)
    assert done.exit_code == 0
    assert "too good" in done.stdout
    assert "length alone" in done.stdout
    assert "all to the top" in done.stdout


def test_the_same_seed_gives_the_same_directory(world, tmp_path):
    for name in ("one", "two"):
        run(train, world, "--out", tmp_path / name, "--seed", 5)
    for name in ("model.json", "weights.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    about = json.loads((tmp_path / "one" / "model.json").read_text())
    assert about["data"]["rows"] == 480
    assert about["held_out"]["learned"]["apgr"]["value"] > 0.7


BAD = [
    ("{", "not JSON"),
    (json.dumps({"prompt": "x", "outcomes": {}}), '"id"'),
    (json.dumps(outcome_line(1, None, (0, 1))), '"prompt"'),
    (json.dumps({**outcome_line(1, "x", (0, 1)), "outcomes": {"fast": {"success": 1, "cost_usd": 1}}}), "two tiers"),
    (json.dumps(outcome_line(1, "x", (0.5, 1))), "\"success\" of 'fast'"),
    (json.dumps(outcome_line(1, "x", (True, 1))), "\"success\" of 'fast'"),
    (json.dumps({"id": 1, "prompt": "x", "outcomes": {t: {"success": 1} for t in TIERS}}), '"cost_usd"'),
    (json.dumps({"id": 1, "prompt": "x", "outcomes": {"fast": 1, "top": 2}}), "object"),
    (json.dumps({"id": 1, "messages": [{"role": "system", "content": "x"}], "outcomes": {}}), "message of the user"),
    (
        json.dumps({**outcome_line(1, "x", (0, 1)), "outcomes": {t: {"success": 1, "cost_usd": 0} for t in "ab"}}),
        "tiers are",
    ),
]


@pytest.mark.parametrize(("bad", "said"), BAD)
def test_a_bad_line_is_named_and_the_others_are_used(tmp_path, bad, said):
    good = [json.dumps(outcome_line(at, *row)) for at, row in enumerate(a_world(60))]
    path = tmp_path / "mixed.jsonl"
    path.write_text("\n".join([*good[:30], bad, *good[30:]]) + "\n")
    found = list(read_outcomes(path))
    assert [line.line for line in found if isinstance(line, BadLine)] == [31]
    for command, options in (
        (train, ("--out", tmp_path / "m")),
        (evaluate, ("--model", tmp_path / "m", "--resamples", 5)),
    ):
        done = run(command, path, *options, "--json")
        assert done.exit_code == 1
        assert f"{path}: line 31: " in done.stderr
        assert said in done.stderr
        assert json.loads(done.stdout)["selected"] == 60


def test_wrong_use_is_one_line_and_exit_code_two(world, tmp_path):
    (tmp_path / "file").write_text("")
    few = write(tmp_path / "few.jsonl", [outcome_line(at, *row) for at, row in enumerate(a_world(6))])
    for command, *arguments in (
        (train, tmp_path / "none", "--out", tmp_path / "m"),
        (train, few, "--out", tmp_path / "m"),
        (train, world, "--out", tmp_path / "file"),
        (train, world, "--out", tmp_path / "m", "--seed", -1),
        (evaluate, world, "--model", tmp_path / "m"),
        (evaluate, tmp_path / "file", "--model", tmp_path / "m"),
    ):
        done = run(command, *arguments)
        assert done.exit_code == 2, arguments
        assert done.stderr.count("Error: ") == 1


def test_a_tier_that_always_succeeds_and_a_top_tier_that_is_no_better_are_no_trouble(tmp_path):
    path = write(tmp_path / "flat.jsonl", [outcome_line(at, text, (1, 1)) for at, (text, _) in enumerate(a_world(40))])
    assert run(train, path, "--out", tmp_path / "m").exit_code == 0
    done = run(evaluate, path, "--model", tmp_path / "m", "--resamples", 10)
    assert done.exit_code == 0
    assert "no gap to recover" in done.stdout
    assert load_model(tmp_path / "m").slope > 0


def test_few_rows_leave_the_prior_in_place_longer_requests_are_trusted_less():
    rows = [(f"{'word ' * (1 + at % 20)}", [at % 2, 1]) for at in range(20)]
    model = fit([asked(text) for text, _ in rows], np.array([s for _, s in rows], float), TIERS, seed=0).model
    scorer = LearnedScorer(model)
    assert scorer.chances(asked("word " * 3))["fast"] > scorer.chances(asked("word " * 18))["fast"]


RATES = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), min_size=1, max_size=40)


@given(rows=RATES)
def test_figures_are_the_mean_over_the_orders_of_tied_rows(rows):
    confidence, weak, strong = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = routing_quality(confidence, weak, strong)
    gap = (strong - weak).sum()
    if gap <= 0:
        assert math.isnan(found.apgr)
        return
    expected = {value: (strong - weak)[confidence == value].mean() for value in set(confidence)}
    recovered = np.r_[0, np.cumsum([expected[value] for value in sorted(confidence)])] / gap
    assert found.apgr == pytest.approx(((recovered[1:] + recovered[:-1]) / 2).mean())
    for share, part in ((found.cpt50, 0.5), (found.cpt80, 0.8)):
        calls = round(share * len(rows))
        assert recovered[calls] >= part - 1e-9
        assert all(recovered[:calls] < part)


def test_one_confidence_for_all_is_random_routing_and_knowing_all_is_better():
    rng = np.random.default_rng(1)
    weak, strong = (rng.random(400) < 0.5).astype(float), (rng.random(400) < 0.8).astype(float)
    assert routing_quality(np.ones(400), weak, strong).apgr == pytest.approx(0.5)
    assert routing_quality(weak - strong, weak, strong).apgr > 0.8


@given(
    confidences=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30),
)
def test_along_the_curve_requests_only_move_up(confidences):
    table = np.array([[low, max(low, mid), 1.0] for low, mid in confidences])
    ones = np.ones_like(table)
    points = cost_curve(("a", "b", "c"), table, ones, ones * [1.0, 2.0, 3.0])
    assert [point["usd_per_1000"] for point in points] == sorted(point["usd_per_1000"] for point in points)
    assert all(sum(point["shares"].values()) == pytest.approx(1) for point in points)
    assert points[-1]["shares"]["c"] == 1
