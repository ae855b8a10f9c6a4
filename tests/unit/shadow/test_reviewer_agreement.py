"""Two reviewers: kappa against a textbook, its interval by simulation, what gold records let expect, and who settles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.statistics.reviewer import Reviewer
from shadow.statistics.reviewer_agreement import agreement, implied_disagreement, settled


def pairs(both: int, first_only: int, second_only: int, neither: int) -> tuple[list[int], list[int], list[str]]:
    first = [1] * (both + first_only) + [0] * (second_only + neither)
    second = [1] * both + [0] * first_only + [1] * second_only + [0] * neither
    return first, second, [str(i) for i in range(len(first))]


def test_kappa_is_that_of_the_textbook() -> None:
    found = agreement(*pairs(20, 5, 10, 15))  # agreed .7, by chance .5
    assert found.agreed.value == pytest.approx(0.7)
    assert found.kappa.value == pytest.approx(0.4)
    assert found.accepted == pytest.approx(0.55)


def test_no_disagreement_among_few_is_no_proof_of_perfect_agreement() -> None:
    found = agreement(*pairs(12, 0, 0, 4)).kappa
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low is not None
    assert 0.2 < found.low < 0.9
    assert agreement(*pairs(9, 0, 0, 0)).kappa.value is None
    assert agreement([], [], []).kappa.value is None


def test_answers_of_one_sample_do_not_count_as_two() -> None:
    first, second, names = pairs(40, 4, 4, 12)
    apart, together = agreement(first, second, names).kappa, agreement(first, second, [n[:-1] for n in names]).kappa
    assert apart.value == together.value
    assert together.low is not None
    assert apart.low is not None
    assert together.low < apart.low


@given(st.tuples(*[st.integers(0, 30)] * 4).filter(any))
def test_it_does_not_matter_who_came_first(counts: tuple[int, int, int, int]) -> None:
    first, second, names = pairs(*counts)
    found, swapped = agreement(first, second, names).kappa, agreement(second, first, names).kappa
    assert found == swapped
    if found.value is not None and found.low is not None and found.high is not None:
        assert -1.0 <= found.low <= found.value <= found.high <= 1.0


@pytest.mark.parametrize(("good", "kappa", "n"), [(0.9, 0.6, 60), (0.7, 0.85, 60), (0.95, 0.3, 200)])
def test_the_interval_of_kappa_holds_the_true_one(good: float, kappa: float, n: int) -> None:
    rng = np.random.default_rng(5)
    spread, runs, held = good * (1 - good), 500, 0
    chances = [good**2 + spread * kappa, spread * (1 - kappa), spread * (1 - kappa), (1 - good) ** 2 + spread * kappa]
    for counts in rng.multinomial(n, chances, size=runs):
        found = agreement(*pairs(*map(int, counts))).kappa
        held += found.low is None or found.high is None or found.low <= kappa <= found.high
    assert held / runs >= 0.93


def test_disagreement_beyond_what_the_gold_record_allows_is_noticed() -> None:
    sure = Reviewer(false_accepts=2, gold_bad=200, false_rejects=2, gold_good=200)
    calm, torn = agreement(*pairs(160, 2, 2, 36)), agreement(*pairs(140, 20, 20, 20))
    expected = implied_disagreement(calm, sure)
    assert expected is not None
    assert expected.value == pytest.approx(2 * 0.01 * 0.99)
    assert not expected.exceeded
    beyond = implied_disagreement(torn, sure)
    assert beyond is not None
    assert beyond.exceeded
    assert implied_disagreement(calm, Reviewer(false_accepts=0, gold_bad=0, false_rejects=0, gold_good=9)) is None
    assert implied_disagreement(agreement([], [], []), sure) is None


def test_the_majority_of_three_settles() -> None:
    assert [settled(said) for said in ((), (1,), (1, 1), (1, 0), (1, 0, 0), (0, 1, 1, 0, 0))] == [
        None,
        1,
        1,
        None,
        0,
        1,
    ]
