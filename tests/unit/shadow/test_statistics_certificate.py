"""Is a policy certified only with proof, is one certified at all, and does every dead end say why?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadow.statistics.certificate import Certificate, certify, first_half
from shadow.statistics.paired_evidence import PairedEvidence, routed
from shadow.statistics.policy_path import policy_path
from shadow.statistics.risk import betting_risk_p_value, risk_estimate, studentised_risk_p_value
from shadow.statistics.routes import BEYOND, Requests
from shadow.statistics.tuning_simulation import TuningWorld, gap_for_risk, traffic, true_risk, tune

EPSILON, DELTA = 0.03, 0.1


def simple(n: int, *, loss: float = 0.0, tiers: int = 2, seed: int = 0) -> tuple[Requests, PairedEvidence, np.ndarray]:
    """Every request mirrored and its truth known; losses fall on the lowest scores."""
    rng = np.random.default_rng(seed)
    scores = rng.random((n, tiers - 1))
    losses = (scores < loss).astype(float)
    evidence = PairedEvidence.of_truth(losses, np.ones_like(losses, dtype=bool), np.ones((n, tiers)))
    costs = np.tile(np.arange(1.0, tiers + 1), (n, 1))
    return Requests(scores=scores, kind=np.zeros(n, dtype=np.int64)), evidence, costs


def certificate(
    requests: Requests, evidence: PairedEvidence, costs: np.ndarray, *, per_kind: bool = False, proof: str | None = None
) -> Certificate:
    return certify(
        requests,
        evidence,
        costs,
        in_first_half=np.arange(requests.n) % 2 == 0,
        epsilon=EPSILON,
        delta=DELTA,
        per_kind=per_kind,
        proof=proof,
    )


def test_without_any_loss_the_cheapest_tier_is_certified() -> None:
    found = certificate(*simple(1000))
    assert (found.status, found.why, found.proof, found.asymptotic) == ("certified", "within_epsilon", "betting", False)
    assert found.thresholds is not None
    assert found.thresholds[0, 0] < 0.01
    assert found.risk is not None
    assert (found.risk.value, found.risk.low <= 0.0 < (found.risk.high or 0.0)) == (0.0, True)
    assert found.saving_usd is not None
    assert found.saving_usd.value == pytest.approx(1.0, abs=0.01)
    assert (found.pairs, found.labels, found.coverage, found.more_labels) == (500, 500, 1.0, 0)


def test_the_last_policy_before_the_losses_is_taken() -> None:
    requests, evidence, costs = simple(4000, loss=0.5)
    found = certificate(requests, evidence, costs)
    assert found.thresholds is not None
    lost = float(((requests.scores >= found.thresholds[0, 0]) & (evidence.judged_loss > 0)).mean())
    assert 0.0 < lost < EPSILON
    assert not found.tested[-1].passed or len(found.tested) == len(found.path.policies) - 1


def test_the_path_starts_on_top_and_gets_cheaper_and_riskier() -> None:
    requests, evidence, costs = simple(1000, loss=0.4, tiers=3)
    path = policy_path(requests, evidence, costs)
    assert (path.policies[0].thresholds == BEYOND).all()
    costs_usd = [policy.cost_usd for policy in path.policies]
    assert costs_usd == sorted(costs_usd, reverse=True)
    assert costs_usd[0] == pytest.approx(3.0)
    assert costs_usd[-1] == pytest.approx(1.0, abs=0.05)
    assert path.policies[-1].risk >= path.policies[1].risk


def test_verdicts_alone_are_uncertified_and_too_few_labels_say_how_many_are_missing() -> None:
    requests, evidence, costs = simple(1000)
    labelled = np.zeros((1000, 1), dtype=bool)
    labelled[:80] = True
    found = certificate(requests, replace(evidence, labelled=None, label_loss=None, label_inclusion=None), costs)
    assert (found.status, found.more_labels, found.proof) == ("uncertified", 200, "betting")
    found = certificate(requests, replace(evidence, labelled=labelled), costs)
    assert (found.status, found.more_labels) == ("uncertified", 160)
    assert found.risk is not None
    assert not found.risk.corrected


def test_labels_on_a_part_make_an_asymptotic_certificate() -> None:
    requests, evidence, costs = simple(1000)
    labelled = np.zeros((1000, 1), dtype=bool)
    labelled[:500] = True
    some = replace(evidence, labelled=labelled, label_inclusion=np.full((1000, 1), 0.5))
    found = certificate(requests, some, costs)
    assert (found.status, found.proof, found.asymptotic) == ("certified", "studentised", True)
    assert certificate(requests, evidence, costs, proof="studentised").asymptotic


@pytest.mark.parametrize(("n", "why"), [(0, "no_pairs"), (1, "no_pairs"), (2, "too_few_pairs"), (100, "too_few_pairs")])
def test_too_few_pairs_keep_the_thresholds_and_say_how_many_more(n: int, why: str) -> None:
    found = certificate(*simple(n))
    assert (found.status, found.why, found.thresholds) == ("keep", why, None)
    assert (found.more_pairs is None) == (why == "no_pairs")
    if found.more_pairs is not None:
        assert found.more_pairs >= 76


def test_a_loss_that_is_too_large_is_no_matter_of_pairs() -> None:
    requests, evidence, costs = simple(2000, loss=2.0)  # all is lost
    found = certificate(replace(requests, scores=np.full((2000, 1), 0.5)), evidence, costs)
    assert (found.status, found.why, found.more_pairs) == ("keep", "risk_not_shown", None)
    assert found.risk is not None
    assert found.risk.value == pytest.approx(1.0)


def test_where_no_pair_can_be_drawn_the_thresholds_stay_until_mirrored_downwards() -> None:
    requests, evidence, costs = simple(2000)
    unseen = np.array([0.0, 1.0]) * np.ones((2000, 2))
    nothing = np.zeros((2000, 1), dtype=bool)
    blind = replace(
        evidence, inclusion=unseen, drawn=nothing, judged=nothing, labelled=None, label_loss=None, label_inclusion=None
    )
    assert certificate(requests, blind, costs).why == "no_pairs"
    low = requests.scores[:, 0] < 0.7
    inclusion = np.where(low[:, None], unseen, 1.0)
    partly = replace(evidence, inclusion=inclusion, drawn=~low[:, None], judged=~low[:, None], labelled=~low[:, None])
    found = certificate(requests, partly, costs)
    assert found.status == "certified"
    assert found.path is not None
    assert found.path.unseen
    assert found.thresholds is not None
    assert found.thresholds[0, 0] >= 0.7
    high = replace(requests, scores=np.where(low, 1.0, 0.2)[:, None])
    assert certificate(high, partly, costs).why == "needs_down_mirroring"


def test_a_tier_that_is_no_cheaper_is_not_proposed() -> None:
    requests, evidence, costs = simple(1000)
    assert certificate(requests, evidence, costs[:, ::-1]).why == "nothing_cheaper"


def test_a_pair_with_one_side_missing_is_no_tie() -> None:
    requests, evidence, costs = simple(2000, loss=0.2)
    lost = evidence.judged_loss > 0
    tier = np.zeros(2000, dtype=np.int64)
    half_judged = replace(
        evidence,
        judged=evidence.judged & (np.arange(2000) // 2 % 2 == 0)[:, None],
        labelled=None,
        label_loss=None,
        label_inclusion=None,
    )
    found = risk_estimate(routed(half_judged, tier), labels=False)
    assert found is not None
    assert found.value == pytest.approx(lost.mean(), abs=0.02)
    assert betting_risk_p_value(routed(half_judged, tier), epsilon=0.1, labels=False) > 0.5
    assert certificate(requests, half_judged, costs).coverage == pytest.approx(0.5)


def test_labels_that_failed_mirrors_leave_out_do_not_dilute_the_loss() -> None:
    _, evidence, _ = simple(4000, loss=0.2)
    there = (np.arange(4000) % 2 == 0)[:, None]  # half of the mirrors failed
    half = replace(evidence, judged=there, labelled=there)
    assert half.fully_labelled
    p_value = betting_risk_p_value(routed(half, np.zeros(4000, dtype=np.int64)), epsilon=0.15, labels=True)
    assert p_value > 0.5


@pytest.mark.parametrize("labelled", [False, True])
def test_where_all_abstain_labels_still_speak_and_where_all_fail_nothing_does(labelled: bool) -> None:
    requests, evidence, costs = simple(1000)
    nothing = np.zeros((1000, 1), dtype=bool)
    silent = replace(evidence, judged=nothing, labelled=evidence.drawn if labelled else nothing)
    found = certificate(requests, silent, costs)
    assert (found.status, found.coverage) == ("certified" if labelled else "keep", 0.0)
    assert found.why == ("within_epsilon" if labelled else "no_pairs")


@settings(max_examples=8)
@given(seed=st.integers(0, 1000), unit=st.floats(1e-6, 1e3))
def test_the_unit_of_cost_does_not_matter(seed: int, unit: float) -> None:
    requests, evidence, costs = simple(600, loss=0.3, seed=seed)
    one, other = certificate(requests, evidence, costs), certificate(requests, evidence, costs * unit)
    assert one.status == other.status
    assert one.thresholds is not None
    assert np.array_equal(one.thresholds, other.thresholds)


def test_a_query_type_that_loses_more_holds_all_back_where_each_must_keep_epsilon() -> None:
    requests, evidence, costs = simple(6000)
    kind = (np.arange(6000) // 2 % 5 == 0).astype(np.int64)  # a fifth, in both halves
    loss = ((kind == 1) & (np.arange(6000) % 7 == 0)).astype(float)[:, None]
    requests = replace(requests, kind=kind, kinds=2, scores=np.full((6000, 1), 0.5))
    evidence = PairedEvidence.of_truth(loss, evidence.drawn, evidence.inclusion)
    overall, each = (certificate(requests, evidence, costs, per_kind=per_kind) for per_kind in (False, True))
    assert (overall.constrained, each.constrained) == ((), (0, 1))
    assert overall.thresholds is not None
    assert each.thresholds is not None
    assert each.thresholds[1, 0] == BEYOND > each.thresholds[0, 0]
    assert {len(test.p_values) for test in each.tested} == {3}


def test_tiny_inclusion_probabilities_and_a_tier_that_joined_late_are_no_trouble() -> None:
    requests, evidence, costs = simple(2000, tiers=3)
    inclusion = evidence.inclusion.copy()
    inclusion[:, :-1] = 1e-9
    found = certificate(requests, replace(evidence, inclusion=inclusion), costs)
    assert found.status == "certified"
    late = evidence.inclusion.copy()
    late[:1000, 1] = 0.0  # the middle tier was added after half of the window
    there = evidence.drawn & (late[:, :-1] > 0)
    found = certificate(requests, replace(evidence, inclusion=late, drawn=there, judged=there, labelled=there), costs)
    assert found.status == "certified"
    assert found.thresholds is not None
    assert found.thresholds[0, 1] == BEYOND


def test_studentised_without_a_label_below_the_top_takes_all_for_lost() -> None:
    _, evidence, _ = simple(1000)
    tier = (np.arange(1000) >= 10).astype(np.int64)
    few = routed(replace(evidence, labelled=np.zeros((1000, 1), dtype=bool)), tier)
    assert studentised_risk_p_value(few, epsilon=0.03) < 0.1  # one in a hundred can't lose three
    assert studentised_risk_p_value(few, epsilon=0.009) > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("labels", [None, 1000], ids=["truth, betting", "labels, studentised"])
def test_at_the_boundary_a_policy_is_wrongly_certified_in_at_most_delta_of_runs(labels: int | None) -> None:
    rng = np.random.default_rng(6)
    world = TuningWorld(score_noise=-1.0, pairs=2500, labels=labels)
    world = replace(world, gaps=(gap_for_risk(world, EPSILON, rng=rng),))
    runs = 40
    broke = [tune(world, epsilon=EPSILON, delta=DELTA, rng=rng).status == "certified" for _ in range(runs)]
    assert np.mean(broke) <= DELTA + 2.33 * (DELTA * (1 - DELTA) / runs) ** 0.5


@pytest.mark.slow
def test_with_graded_scores_something_cheaper_is_certified_and_keeps_epsilon() -> None:
    rng = np.random.default_rng(7)
    world = TuningWorld(labels=1000)
    population = traffic(world, 100_000, rng)
    found = [tune(world, epsilon=EPSILON, delta=DELTA, rng=rng) for _ in range(12)]
    certified = [one for one in found if one.status == "certified" and one.thresholds is not None]
    assert len(certified) >= 10
    assert sum(true_risk(population, one.thresholds) >= EPSILON for one in certified) <= 4
    assert all(one.saving_usd is not None and one.saving_usd.low > 0 for one in certified)


def test_halves_are_the_same_every_time_and_about_equal() -> None:
    names = [f"r{i}" for i in range(2000)]
    first = first_half(names, seed="s")
    assert first.tolist() == first_half(names, seed="s").tolist()
    assert first.tolist() != first_half(names, seed="t").tolist()
    assert first.mean() == pytest.approx(0.5, abs=0.05)


def test_evidence_that_contradicts_itself_is_refused() -> None:
    _, evidence, _ = simple(5)
    none = np.zeros((5, 1), dtype=bool)
    for change, message in (
        ({"inclusion": np.zeros((5, 2))}, "inclusion must"),
        ({"inclusion": np.array([[0.0, 1.0]] * 5)}, "inclusion probability is 0"),
        ({"drawn": none}, "not drawn"),
        ({"judged_loss": np.full((5, 1), 2.0)}, "must lie in"),
        ({"label_loss": None}, "need label_loss"),
        ({"label_inclusion": np.zeros((5, 1))}, "label inclusion probability is 0"),
        ({"judged": none[:3]}, "has shape"),
    ):
        with pytest.raises(ValueError, match=message):
            replace(evidence, **change)
    requests, evidence, costs = simple(5)
    with pytest.raises(ValueError, match="costs have shape"):
        policy_path(requests, evidence, costs[:, :1])
    with pytest.raises(ValueError, match="finite"):
        policy_path(requests, evidence, costs * np.nan)
    with pytest.raises(ValueError, match="epsilon and delta"):
        certify(requests, evidence, costs, in_first_half=np.ones(5, dtype=bool), epsilon=0.0, delta=0.1)
