"""Are verdicts counted at what they are worth, are cells held against what they were, and are error rates kept on the way?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadow.lab.regression import RegressionWorld, simulate
from shadow.statistics.accuracy import raw
from shadow.statistics.dependence import design_effect, design_effect_of_sums
from shadow.statistics.discoveries import Slices, rise_interval
from shadow.statistics.moments import Moments
from shadow.statistics.regressions import Family, compare
from shadow.statistics.strata import Stratum
from shadow.statistics.sums import Samples, sums_of


def judged(rates: list[float], n: int, rng: np.random.Generator, *, ratio: float = 1.0) -> Moments:
    """Cells with these failure rates; half the requests weigh `ratio` times as much and are seen as much less often."""
    group = np.repeat(np.arange(len(rates)), n)
    heavy = rng.random(group.size) < 1.0 / (1.0 + ratio)
    good = rng.random(group.size) >= np.array(rates)[group]
    probability = np.where(good, 0.98, 0.03)
    return Moments.of(probability, np.where(heavy, ratio, 1.0), group, groups=len(rates))


def binary(good: int, bad: int) -> Moments:
    probability = np.repeat([1.0, 0.0], [good, bad])
    return Moments.of(probability, np.ones(good + bad), np.zeros(good + bad, dtype=np.int64), groups=1)


def test_the_interval_of_a_change_is_newcombes() -> None:
    """Newcombe 1998, table II: 56/70 against 48/80, method 10: .0524 to .3339."""
    low, high = rise_interval(
        Slices(
            failures_now=np.array([56 / 70]),
            n_now=np.array([70.0]),
            failures_before=np.array([48 / 80]),
            n_before=np.array([80.0]),
        )
    )
    assert (low[0], high[0]) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_equal_weights_and_plain_verdicts_count_as_what_they_are() -> None:
    found = binary(900, 100)
    assert found.accuracy.tolist() == [0.9]
    assert found.effective_n()[0] == pytest.approx(999.0)  # a mean of a thousand hides one of them
    assert found.effective_n(2.0)[0] == pytest.approx(499.5)
    assert binary(40, 0).effective_n().tolist() == [40.0]
    assert Moments.of(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64), groups=1).effective_n().tolist() == [0.0]


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 50.0))
def test_effective_counts_are_those_of_the_figures_and_do_not_hang_on_the_scale_of_weights(
    seed: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    p, inclusion = rng.random(300), np.full(300, 0.05)
    group = rng.integers(0, 3, 300)
    found = Moments.of(p, 1.0 / inclusion, group, groups=3)
    again = Moments.of(p, scale / inclusion, group, groups=3)
    assert again.effective_n() == pytest.approx(found.effective_n())
    whole = found.grouped(np.zeros(3, dtype=np.int64), groups=1)
    sums = sums_of(
        Samples(inclusion=inclusion, decided=np.ones(300, dtype=np.bool_), probability=p), costs_usd=np.zeros(6000)
    )
    published = raw({Stratum(tier="fast"): sums})
    assert published is not None
    assert whole.accuracy[0] == pytest.approx(published.value)
    assert whole.effective_n()[0] == pytest.approx(published.effective_n)


def test_every_cell_says_what_became_of_it() -> None:
    rng = np.random.default_rng(5)
    before = judged([0.1] * 4, 4_800, rng)
    now = judged([0.17, 0.1, 0.1, 0.1], 1_200, rng)
    nothing, few = Moments.of(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64), groups=4), binary(80, 5)
    few_of_all = few.grouped(np.array([2]), groups=4)
    keep = np.array([1.0, 1.0, 0.0, 0.0])
    mixed = Moments(**{name: getattr(now, name) * keep for name in now.__dataclass_fields__}) + few_of_all
    found = compare(mixed, before)
    assert [cell.outcome for cell in found.cells] == ["worse", "quiet", "not_testable", "not_testable"]
    assert [cell.reason for cell in found.cells] == [None, None, "few_verdicts_now", "no_verdicts_now"]
    worse, quiet, small, empty = found.cells
    assert worse.change is not None
    assert worse.change.high is not None
    assert worse.change.high < 0.0
    assert worse.p_value is not None
    assert quiet.detectable is not None
    assert 0.02 < quiet.detectable < 0.05
    assert small.change is not None  # not tested, but not hidden either
    assert empty.change is None
    assert found.testable == 2
    assert found.threshold == pytest.approx(0.05)
    assert {cell.reason for cell in compare(now, nothing).cells} == {"no_verdicts_before"}


def worse(found: Family) -> list[int]:
    return [at for at, cell in enumerate(found.cells) if cell.outcome == "worse"]


def test_with_unequal_weights_and_calibrated_verdicts_false_discoveries_stay_rare_and_a_drop_is_found() -> None:
    rng, runs, cells = np.random.default_rng(8), 80, 30
    same, dropped = [0.1] * cells, [0.17] + [0.1] * (cells - 1)
    false = found = 0
    for _ in range(runs):
        before = judged(same, 900, rng, ratio=4.0)
        false += bool(worse(compare(judged(same, 600, rng, ratio=4.0), before)))
        found += 0 in worse(compare(judged(dropped, 600, rng, ratio=4.0), before))
    assert false / runs <= 0.05 + 2.33 * (0.05 * 0.95 / runs) ** 0.5
    assert found / runs >= 0.5


def test_a_cell_that_is_counted_by_sessions_is_worth_less() -> None:
    rng = np.random.default_rng(9)
    now, before = judged([0.16], 600, rng), judged([0.1], 2_400, rng)
    assert worse(compare(now, before)) == [0]
    assert worse(compare(now, before, design_effect=4.0)) == []
    values, weights = rng.random(40), np.ones(40)
    sessions = [str(i // 4) for i in range(40)]
    errors = values - values.mean()
    together = float((errors.reshape(10, 4).sum(axis=1) ** 2).sum())
    assert design_effect_of_sums(float(errors @ errors), together, clusters=10) == pytest.approx(
        design_effect(values, weights, sessions)
    )
    assert design_effect_of_sums(0.0, 0.0, clusters=10) == 1.0


def test_in_the_lab_the_cell_that_lost_is_named_and_its_alarm_fires() -> None:
    found = simulate(RegressionWorld(), runs=8, seed=3)
    assert found.judged_least >= 2_300
    shares = {share.name: share for share in found.shares}
    assert {name for name, share in shares.items() if not share.met} == set()
    assert shares["named"].value == 1.0
    assert sum(found.cells.values()) == 8
    unchanged = simulate(RegressionWorld(drop=0.0), runs=8, seed=3)
    assert not unchanged.shares[0].met
    with pytest.raises(ValueError, match="too little for a baseline"):
        simulate(RegressionWorld(requests=100_000), runs=1, seed=3)
