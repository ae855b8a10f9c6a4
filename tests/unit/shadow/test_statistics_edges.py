"""Does every degenerate window give a defined answer: an estimate, or None with a reason?"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.accuracy import Assessment, assess, corrected, raw
from shadow.statistics.cost import cost_per_success
from shadow.statistics.estimate import Estimate
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.strata import Strata, Stratum, collapse
from shadow.statistics.sums import Samples, Sums, sums_of

FAST = Stratum(tier="fast")


def window(
    n: int, *, requests: int = 1000, accept: float = 0.9, labelled: float = 0.0, decided: float = 1.0, pi: float = 0.1
) -> Sums:
    """The first shares of n samples are accepted, labelled, decided."""
    rank = (np.arange(n) * 7919 % max(n, 1) + 0.5) / max(n, 1)  # accepted and rejected are spread evenly
    place = (np.arange(n) + 0.5) / max(n, 1)
    samples = Samples(
        inclusion=np.full(n, pi),
        decided=place < decided,
        probability=np.where(rank < accept, 0.95, 0.1),
        labelled=place < labelled,
        label=(rank < accept).astype(float),
        label_inclusion=np.full(n, max(labelled, 1e-9)),
        abstained=place >= decided,
    )
    return sums_of(samples, costs_usd=np.full(requests, 0.001))


def reasons(assessment: Assessment) -> dict[str, str]:
    return {name: undefined.reason for name, undefined in assessment.undefined.items()}


@pytest.mark.parametrize(
    ("strata", "reason"),
    [
        ({}, "no_requests"),
        ({FAST: Sums()}, "no_requests"),
        ({FAST: Sums(requests=100.0, cost_usd=1.0)}, "no_samples"),
        ({FAST: window(1, labelled=1.0)}, "one_sample"),
    ],
)
def test_without_requests_or_samples_nothing_is_said(strata: Strata, reason: str) -> None:
    assessment = assess(strata)
    assert assessment.corrected is assessment.raw is assessment.labels_only is assessment.worst_case is None
    assert reasons(assessment) == dict.fromkeys(("corrected", "raw", "labels_only"), reason)


def test_without_labels_there_is_only_the_uncorrected_figure() -> None:
    assessment = assess({FAST: window(100)})
    assert assessment.raw is not None
    assert reasons(assessment) == {"corrected": "no_labels", "labels_only": "no_labels"}


def test_one_label_is_no_estimate() -> None:
    assert reasons(assess({FAST: window(100, labelled=0.01)}))["corrected"] == "one_label"


def test_the_top_tier_is_not_identified_without_labels_and_never_by_judges_alone() -> None:
    assert reasons(assess({FAST: window(100)}, top_tier="fast")) == dict.fromkeys(
        ("corrected", "raw", "labels_only"), "not_identified"
    )
    assessment = assess({FAST: window(100, labelled=0.5)}, top_tier="fast")
    assert assessment.corrected is not None
    assert assessment.raw is None


def test_an_overall_figure_is_not_made_up_for_a_tier_without_evidence() -> None:
    top = Stratum(tier="frontier")
    unsampled = assess({FAST: window(100, labelled=0.5), top: Sums(requests=10.0)})
    assert reasons(unsampled) == {
        "corrected": "tier_without_labels", "raw": "tier_without_verdicts", "labels_only": "tier_without_labels"
    }  # fmt: skip
    assert unsampled.undefined["raw"].detail == "frontier"
    unlabelled = assess({FAST: window(100, labelled=0.5), top: window(100)}, top_tier="frontier")
    assert set(reasons(unlabelled).values()) == {"not_identified"}


def test_a_tier_added_or_removed_in_the_window_counts_with_what_it_served() -> None:
    strata = {FAST: window(100, labelled=0.5), Stratum(tier="new"): window(20, requests=10, labelled=1.0, pi=1.0)}
    overall = corrected(strata | {Stratum(tier="gone"): Sums()})
    assert overall is not None
    assert overall == corrected(strata)


def test_when_all_abstain_labels_still_speak_and_the_bounds_say_nothing_is_known() -> None:
    assessment = assess({FAST: window(100, decided=0.0, labelled=0.5)})
    assert assessment.corrected is not None
    assert assessment.corrected.value == pytest.approx(0.9, abs=0.1)
    assert assessment.raw is None
    assert reasons(assessment) == {"raw": "no_verdicts"}
    assert assessment.worst_case is not None
    assert (assessment.worst_case.low, assessment.worst_case.high) == (0.0, 1.0)
    assert assessment.coverage is not None
    assert assessment.coverage.value == 0.0


def test_when_every_mirror_fails_nothing_is_known_and_no_request_is_forgotten() -> None:
    lost = window(100, decided=0.0)
    failed = replace(lost, abstained=0.0, failed=lost.sampled)
    assessment = assess({FAST: failed})
    assert reasons(assessment) == {"corrected": "no_labels", "raw": "no_verdicts", "labels_only": "no_labels"}
    assert assessment.coverage is not None
    assert assessment.coverage.value == 0.0
    assert failed.requests == lost.requests
    assert cost_per_success(failed, assessment.corrected) is None


@pytest.mark.parametrize("accept", [0.0, 1.0])
def test_unanimous_labels_still_leave_room_for_doubt(accept: float) -> None:
    estimate = corrected({FAST: window(100, accept=accept, labelled=0.5)})
    assert estimate is not None
    assert estimate.value == accept
    assert estimate.effective_n == pytest.approx(50)
    assert estimate.width == pytest.approx(0.0713, abs=1e-3)


@pytest.mark.parametrize("pi", [1e-12, 1.0])
def test_all_labelled_at_any_inclusion_probability_is_the_share_of_good_labels(pi: float) -> None:
    estimate = corrected({FAST: window(100, labelled=1.0, pi=pi)})
    assert estimate is not None
    assert estimate.value == pytest.approx(0.9)
    assert estimate.effective_n == pytest.approx(100, rel=0.03)


def test_a_judge_who_always_says_the_same_is_not_taken_for_certain() -> None:
    samples = Samples(
        inclusion=np.full(50, 0.1), decided=np.ones(50, dtype=bool), probability=np.append(np.full(49, 0.9), 0.9001)
    )
    estimate = raw({FAST: sums_of(samples, costs_usd=np.zeros(500))})
    assert estimate is not None
    assert estimate.effective_n == pytest.approx(20 * 50)


def test_two_lucky_labels_do_not_make_a_tier_certain_in_the_overall_figure() -> None:
    top = Stratum(tier="top")
    lucky = window(100, accept=1.0, labelled=0.02)
    alone, overall = corrected({top: lucky}), corrected({FAST: window(100, labelled=0.5), top: lucky})
    assert alone is not None
    assert overall is not None
    assert (alone.value, alone.labelled) == (1.0, 2)
    assert overall.value - overall.low > 0.5 * (alone.value - alone.low) > 0.3


def test_one_sample_of_huge_weight_costs_draws() -> None:
    pi = np.full(100, 0.5)
    pi[0] = 1e-4
    samples = Samples(
        inclusion=pi,
        decided=np.ones(100, dtype=bool),
        probability=np.linspace(0.5, 1.0, 100),
        labelled=np.ones(100, dtype=bool),
        label=(np.arange(100) % 10 > 0).astype(float),
        label_inclusion=np.ones(100),
    )
    estimate = corrected({FAST: sums_of(samples, costs_usd=np.zeros(1000))})
    assert estimate is not None
    assert (estimate.effective_n or 0.0) < 10.0
    assert (estimate.width or 0.0) > 0.3


def test_a_reviewer_who_was_not_measured_or_guesses_cannot_correct() -> None:
    strata = {FAST: window(100, labelled=0.5)}
    unmeasured = Reviewer(false_accepts=0, gold_bad=0, false_rejects=1, gold_good=30)
    guessing = Reviewer(false_accepts=50, gold_bad=100, false_rejects=50, gold_good=100)
    assert reasons(assess(strata, reviewer=unmeasured))["corrected"] == "reviewer_unmeasured"
    assert reasons(assess(strata, reviewer=guessing))["corrected"] == "reviewer_uninformative"
    with pytest.raises(ValueError, match="errors must lie"):
        Reviewer(false_accepts=3, gold_bad=2, false_rejects=0, gold_good=1)


def test_small_strata_join_their_band_then_their_type_then_the_tier_but_never_another_tier() -> None:
    strata = {
        Stratum(tier="fast", query_type="a", band=0): window(3, requests=10),
        Stratum(tier="fast", query_type="a", band=1): window(50, requests=20),
        Stratum(tier="fast", query_type="a", band=2): window(40, requests=30),
        Stratum(tier="fast", query_type="b", band=0): window(2, requests=40),
        Stratum(tier="fast", query_type="c", band=0): window(4, requests=50),
        Stratum(tier="fast", query_type="d", band=0): window(60, requests=60),
        Stratum(tier="top", query_type="a", band=0): window(1, requests=70),
    }
    cells = collapse(strata)
    assert sorted(zip(cells.tiers, cells["requests"], cells["sampled"], strict=True)) == [
        ("fast", 30.0, 40.0),
        ("fast", 30.0, 53.0),
        ("fast", 60.0, 60.0),
        ("fast", 90.0, 6.0),
        ("top", 70.0, 1.0),
    ]


def test_a_type_too_small_to_stand_alone_joins_the_smallest_other_of_its_tier() -> None:
    sizes = {"a": 100, "b": 50, "c": 3}
    strata = {Stratum(tier="fast", query_type=name): window(n, requests=10 * n) for name, n in sizes.items()}
    assert sorted(collapse(strata)["sampled"]) == [53.0, 100.0]


def test_a_stratum_without_samples_is_spoken_for_by_its_neighbour() -> None:
    strata = {
        Stratum(tier="fast", query_type="a", band=0): window(100, labelled=0.5),
        Stratum(tier="fast", query_type="a", band=1): Sums(requests=10.0),
    }
    assert collapse(strata)["requests"].tolist() == [1010.0]
    assert corrected(strata) is not None
    assert raw(strata) is not None


@given(
    n=st.integers(0, 12),
    accept=st.floats(0, 1),
    labelled=st.floats(0, 1),
    decided=st.floats(0, 1),
    pi=st.floats(1e-9, 1.0),
    requests=st.integers(0, 50),
    others=st.integers(0, 8),
)
def test_no_window_raises_or_yields_anything_but_a_finite_interval(
    n: int, accept: float, labelled: float, decided: float, pi: float, requests: int, others: int
) -> None:
    strata = {
        FAST: window(n, requests=requests, accept=accept, labelled=labelled, decided=decided, pi=pi),
        Stratum(tier="fast", band=3): window(others, labelled=labelled),
        Stratum(tier="top"): window(others, labelled=1 - labelled, requests=others),
    }
    record = Reviewer(false_accepts=0, gold_bad=5, false_rejects=1, gold_good=5)
    for reviewer in (None, record):
        shown = assess(strata, reviewer=reviewer)
        for name in ("corrected", "raw", "labels_only"):
            estimate = getattr(shown, name)
            assert (estimate is None) == (name in shown.undefined)
            if isinstance(estimate, Estimate):
                assert 0.0 <= estimate.low <= estimate.value <= (estimate.high or 0.0) <= 1.0
                assert estimate.low < (estimate.high or 0.0)
                assert math.isfinite(estimate.effective_n or math.inf)


def test_an_estimate_refuses_what_is_not_a_number_or_outside_its_interval() -> None:
    for value, low, high in ((math.nan, 0.0, 1.0), (0.5, 0.6, 1.0), (0.5, 0.0, 0.4), (math.inf, 0.0, None)):
        with pytest.raises(ValueError, match="estimate must"):
            Estimate(value=value, low=low, high=high, n=1, level=0.95, method="wilson")
