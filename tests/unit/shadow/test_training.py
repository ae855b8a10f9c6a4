"""Does training find what is in the outcomes, and are the figures of an evaluation those of their definitions?"""

import gzip
import json
import math
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from router.embedding.choice import embedder_for
from router.features import extract_features
from router.scorers.learned import LearnedScorer
from router.scorers.model_directory import load_model
from shadow.cli.evaluate import evaluate
from shadow.cli.train import train
from shadow.json_lines import BadLine
from shadow.outcome_file import read_outcomes
from shadow.training.fit import chances_of, design, fit
from shadow.training.halves import mean_over_halves
from shadow.training.observed import Observed
from shadow.training.resampling import resample_counts
from shadow.training.routing_quality import routing_quality
from shadow.training.thresholds import cost_curve, threshold_advice

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
    assert report["tiers"]["fast"]["auc"]["low"] > 0.8
    assert report["tiers"]["fast"]["calibration_error"]["value"] < 0.15
    first, last = report["curve"][0], report["curve"][-1]
    assert first["shares"] == {"fast": 1.0, "top": 0.0}
    assert last["shares"] == {"fast": 0.0, "top": 1.0}
    assert last["usd_per_1000"]["value"] == pytest.approx(10)


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
    model = fit(design([asked(text) for text, _ in rows]), np.array([s for _, s in rows], float), TIERS, seed=0).model
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


def observed_costs(successes, costs_usd):
    rows = len(successes)
    return Observed(
        tiers=("a", "b", "c"),
        successes=successes,
        weights=np.ones_like(successes),
        costs_usd=costs_usd,
        lengths=np.arange(rows, dtype=float),
        clusters=tuple(str(at) for at in range(rows)),
    )


TABLES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans()), min_size=1, max_size=30)


@given(table=TABLES)
def test_along_the_curve_requests_only_move_up(table):
    confidences = np.array([[low, max(low, mid), 1.0] for low, mid, _ in table])
    ones = np.ones_like(confidences)
    observed = observed_costs(ones, ones * [1.0, 2.0, 3.0])
    points = cost_curve(observed, confidences, resample_counts(observed.clusters, seed=0, resamples=3))
    costs = [point["usd_per_1000"]["value"] for point in points]
    assert costs == sorted(costs)
    assert all(sum(point["shares"].values()) == pytest.approx(1) for point in points)
    assert points[-1]["shares"]["c"] == 1


@given(table=TABLES)
def test_advised_thresholds_do_what_they_say(table):
    confidences = np.array([[low, max(low, mid), 1.0] for low, mid, _ in table])
    successes = np.array([[float(good), 1.0, 1.0] for _, _, good in table])
    observed = observed_costs(successes, np.ones_like(successes) * [1.0, 2.0, 3.0])
    for found in threshold_advice(observed, confidences, resample_counts(observed.clusters, seed=0, resamples=5)):
        limit = 2.0 if found["threshold"]["value"] is None else found["threshold"]["value"]
        reached = confidences >= limit
        reached[:, -1] = True
        choice = reached.argmax(axis=1)
        loss = 1 - successes[np.arange(len(choice)), choice].mean()
        assert found["loss"]["value"] == pytest.approx(loss)
        assert found["usd_per_1000"]["value"] == pytest.approx(1000 * (1 + choice).mean())
        if found["target"] == "loss":
            assert loss <= found["at_most"] + 1e-9
        else:
            assert (1 + choice).mean() <= 3 * found["at_most"] + 1e-9


def test_what_an_embedding_knows_is_learned_and_served(world, tmp_path):
    assert run(train, world, "--out", tmp_path / "m", "--embedding", "static").exit_code == 0
    model = load_model(tmp_path / "m")
    assert model.embedding.name == "static"
    assert model.vector_weights.shape == (256, 2)
    texts = [asked(text) for text, _ in a_world(30)]
    scorer = LearnedScorer.load(tmp_path / "m", TIERS)
    alone = np.array([list(scorer.chances(features).values()) for features in texts])
    together = chances_of(model, design(texts, embedder_for("static")))
    assert alone == pytest.approx(together, abs=1e-5)
    run(train, world, "--out", tmp_path / "plain", "--embedding", "none")
    assert load_model(tmp_path / "plain").embedding is None


def test_soft_outcomes_count_as_their_parts_and_unknown_ones_not_at_all():
    rows = a_world(240)
    known = design([asked(text) for text, _ in rows])
    hard = np.array([successes for _, successes in rows], dtype=float)
    weights = np.ones_like(hard)
    weights[::4, 1] = 0
    soft, lied = hard.copy(), hard.copy()
    lied[::4, 1] = 1 - lied[::4, 1]
    one, two = (fit(known, y, TIERS, seed=0, weights=weights).model for y in (soft, lied))
    assert chances_of(one, known) == pytest.approx(chances_of(two, known), abs=1e-9)
    doubled = fit(known, hard, TIERS, seed=0, weights=np.full_like(hard, 7.0)).model
    assert chances_of(doubled, known) == pytest.approx(
        chances_of(fit(known, hard, TIERS, seed=0).model, known), abs=1e-6
    )


def test_the_heuristic_is_measured_where_no_model_is_named(world):
    done = run(evaluate, world, "--resamples", 20, "--json")
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert report["model"] == {"kind": "heuristic"}
    assert {found["target"] for found in report["thresholds"]} == {"loss", "cost"}


def test_the_curve_is_drawn_as_an_image_that_can_be_read(world, tmp_path):
    run(train, world, "--out", tmp_path / "m", "--split", "a")
    done = run(evaluate, world, "--model", tmp_path / "m", "--resamples", 20, "--plot", tmp_path / "curve.svg")
    assert done.exit_code == 0
    drawn = ElementTree.parse(tmp_path / "curve.svg").getroot()
    texts = " ".join(drawn.itertext())
    assert "all on fast" in texts
    assert "USD per 1000 requests" in texts
    lines = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines[1].attrib["points"].split()) == 11


def test_seeded_halves_give_means_with_paired_intervals(tmp_path):
    world = write(tmp_path / "world.jsonl", [outcome_line(at, *row) for at, row in enumerate(a_world(180))])
    done = run(evaluate, world, "--repeat", 3, "--embedding", "none", "--json")
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    found = report["difference"]["apgr"]
    assert found["low"] < found["value"] < found["high"]
    assert found["value"] == pytest.approx(report["learned"]["apgr"]["value"] - report["length"]["apgr"]["value"])
    assert "mean of 3 halves" in run(evaluate, world, "--repeat", 3, "--embedding", "none").stdout
    assert run(evaluate, world, "--repeat", 3, "--model", tmp_path).exit_code == 2


def test_the_interval_of_a_mean_over_halves_is_that_of_the_definition():
    values = np.array([0.5, 0.6, 0.7])
    found = mean_over_halves(values)
    away = 4.302653 * 0.1 * math.sqrt(1 / 3 + 1)
    assert (found["low"], found["value"], found["high"]) == pytest.approx((0.6 - away, 0.6, 0.6 + away))
    assert mean_over_halves(np.array([math.nan, 1.0]))["value"] is None
