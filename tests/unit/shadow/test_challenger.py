"""Is a scorer that routes better told from one that does not, as often as promised, and do its thresholds keep the shares?"""

from dataclasses import replace

import numpy as np
import pytest

from router.contracts import Policy
from shadow.challenger.comparison import LEVEL, Pairs, compare, judged_by, looks_due
from shadow.challenger.same_shares import commands, same_shares
from shadow.statistics.scorer_difference import scorer_difference

RUNS, DRAWN, OF_CLUSTER = 400, 150, 2


def drawn(rng, clusters, *, noise=(0.6, 0.6)):
    """Requests in pairs that resemble each other, with two scores that see how hard they are through noise of their own, thinned
    out by a known inclusion probability: (losses, weights, champion, challenger, clusters)."""
    hard = np.repeat(rng.normal(size=clusters), OF_CLUSTER) + 0.3 * rng.normal(size=clusters * OF_CLUSTER)
    loss = (rng.random(len(hard)) < 1 / (1 + np.exp(1 - 2 * hard))).astype(float) - (rng.random(len(hard)) < 0.05)
    scores = [-hard + n * rng.normal(size=len(hard)) for n in noise]
    chance = np.where(hard > 0, 0.9, 0.4)
    seen = rng.random(len(hard)) < chance
    columns = loss, 1 / chance, 1 / (1 + np.exp(-scores[0])), scores[1]
    return *(column[seen, None] for column in columns), np.repeat(np.arange(clusters), OF_CLUSTER)[seen]


@pytest.mark.parametrize("noise", [(0.6, 0.6), (2.0, 0.3)], ids=["equal", "better"])
def test_the_interval_holds_the_truth_as_often_as_it_says(noise):
    truth = scorer_difference(*drawn(np.random.default_rng(1), 200_000, noise=noise))
    rng = np.random.default_rng(7)
    runs = [scorer_difference(*drawn(rng, DRAWN, noise=noise)).difference for _ in range(RUNS)]
    held = np.mean([run.low <= truth.difference.value <= run.high for run in runs])
    assert 0.92 < held < 0.98, "the Monte Carlo interval at 400 runs"
    assert abs(np.mean([run.value for run in runs]) - truth.difference.value) < 0.003, "no bias"
    wins = np.mean([run.low > 0 for run in runs])
    assert wins < 0.05 if noise[0] == noise[1] else wins > 0.9


def test_it_is_apgr_times_the_mean_loss():
    rng = np.random.default_rng(3)
    loss, scores = (rng.random(500) < 0.4).astype(float), rng.random((500, 2))
    found = scorer_difference(loss[:, None], np.ones((500, 1)), scores[:, :1], scores[:, 1:], np.arange(500))
    from shadow.training.routing_quality import routing_quality

    for which, at in ((found.champion, 0), (found.challenger, 1)):
        apgr = routing_quality(scores[:, at], 1 - loss, np.ones(500)).apgr
        assert which.value == pytest.approx((1 - apgr) * loss.mean(), abs=1e-9)


def test_without_pairs_of_a_tier_or_with_one_cluster_nothing_is_said():
    one, none = np.ones((3, 2)), np.zeros((0, 1))
    assert scorer_difference(none, none, none, none, np.arange(0)) is None
    assert scorer_difference(one, one * [1, 0], one, one, np.arange(3)) is None
    assert scorer_difference(one, one, one, one, np.zeros(3, dtype=int)) is None
    equal = scorer_difference(one, one, one, one, np.arange(3)).difference
    assert (equal.low, equal.value, equal.high) == (0, 0, 0)


def pairs_with(losses, champion, label_losses=None):
    n = len(losses)
    labelled = np.zeros((n, 1)) if label_losses is None else np.ones((n, 1))
    return Pairs(
        rows=(None,) * n,
        features=(None,) * n,
        losses=losses[:, None],
        weights=np.full((n, 1), 4.0),
        label_losses=np.zeros((n, 1)) if label_losses is None else label_losses[:, None],
        label_weights=labelled,
        champion=champion[:, None],
        row_weights=np.full(n, 4.0),
        clusters=np.arange(n),
        left_out={},
    )


def test_labels_that_say_the_opposite_of_the_panel_win():
    rng = np.random.default_rng(5)
    hard, champion = rng.random(400), rng.random(400)
    panel, truth = (hard > 0.6).astype(float), (hard < 0.4).astype(float)
    found = compare(pairs_with(panel, champion), 1 - hard[:, None])
    assert judged_by(found, looks=1)[0] == "proposed"
    assert found["level"] == LEVEL > 0.98
    assert judged_by(compare(pairs_with(panel, champion, truth), 1 - hard[:, None]), looks=1)[0] == "dropped"
    same = compare(pairs_with(panel, champion), champion[:, None] ** 2)
    assert [judged_by(same, looks=looks)[0] for looks in (1, 2, 3)] == ["comparing", "comparing", "dropped"]
    assert [looks_due(n, min_pairs=100) for n in (99, 100, 399, 400, 5000)] == [0, 1, 2, 3, 3]


def test_thresholds_of_the_new_scorer_keep_the_shares():
    rng = np.random.default_rng(9)
    champion = rng.random(2000)
    found = same_shares(
        pairs_with(np.zeros(2000), champion),
        (rng.random(2000) ** 3)[:, None],
        ("fast", "top"),
        Policy(version=4, thresholds={"fast": 0.6}, band=0.1),
    )
    fast = found["thresholds"]["fast"]["then"]
    assert found["shares"]["fast"]["then"] == pytest.approx(found["shares"]["fast"]["now"], abs=0.001)
    assert found["shares"]["fast"]["now"] == pytest.approx(0.3, abs=0.03)
    assert fast["low"] < 0.7**3 - 0.1 < fast["high"]
    assert commands(found) == [f"--threshold fast={fast['value']:.4f}"]


@pytest.mark.parametrize("band", [0.0, 0.1])
def test_shares_of_three_tiers_are_kept_one_after_the_other(band):
    rng = np.random.default_rng(0)
    hard = rng.random(3000)
    champion = np.c_[1 - hard, 1 - hard / 2]
    challenger = np.clip(champion + rng.normal(size=champion.shape) * [0.3, 0.2], 0, 1) ** 2
    policy = Policy(version=1, thresholds={"fast": 0.7, "mid": 0.6}, band=band)
    found = same_shares(replace(pairs_with(hard, hard), champion=champion), challenger, ("fast", "mid", "top"), policy)
    for share in found["shares"].values():
        assert share["then"] == pytest.approx(share["now"], abs=0.001 if band == 0 else 0.02)
