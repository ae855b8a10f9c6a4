"""Does the weekly report name the cell that got worse, and only that, and does its stream's alarm fire within the week?

Eighteen cells, three tiers x six query types. A week of judged pairs, then another in which one cell loses some points of judged
accuracy; and the same second week without the change. Everything goes through the product's own statistics: sums of weighted
verdicts, effective counts, Fisher, Benjamini and Hochberg; a frozen baseline and an e-process for each stream.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from shadow.lab.tiers import TIERS
from shadow.statistics.discoveries import FALSE_DISCOVERY_RATE, report
from shadow.statistics.drift import Baseline, fired, freeze_baseline, gains, stream_alpha
from shadow.statistics.moments import Moments
from shadow.statistics.regressions import slices_of
from shadow.statistics.sums import BoolArray, FloatArray
from shadow.statistics.wilson import wilson_interval

QUERY_TYPES = ("classification", "code", "extraction", "qa", "rewrite", "summary")
CELLS = tuple((tier.name, query_type) for tier in TIERS for query_type in QUERY_TYPES)
MIRRORED_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionWorld:
    """requests: of a week, over all cells alike; one in twenty is mirrored. accuracy: judged, before; drop: of one cell in the
    second week. missing: share of pairs without a verdict. ratio: of the larger to the smaller weight, half the requests each.
    alpha: false alarms of all streams together."""

    requests: int = 900_000
    accuracy: float = 0.95
    drop: float = 0.05
    missing: float = 0.03
    ratio: float = 1.5
    alpha: float = 0.05

    @property
    def pairs(self) -> int:
        """Mirrored pairs of a cell and week."""
        return round(self.requests * MIRRORED_SHARE / len(CELLS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How often something happened, with the Monte Carlo interval. at_least, at_most: the bar."""

    name: str
    what: str
    count: int
    runs: int
    at_least: float | None = None
    at_most: float | None = None

    @property
    def value(self) -> float:
        return self.count / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """At 95 %."""
        return wilson_interval(self.value, self.runs)

    @property
    def met(self) -> bool:
        """Whether the bar is within reach of what was seen: 2.33 Monte Carlo errors are allowed for."""
        bar = self.at_least if self.at_least is not None else self.at_most or 0.0
        allowance = 2.33 * sqrt(bar * (1.0 - bar) / self.runs)
        return self.value >= bar - allowance if self.at_least is not None else self.value <= bar + allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """judged_least: fewest verdicts of any cell and week. cells: how often each one lost points."""

    shares: tuple[Share, ...]
    judged_least: int
    cells: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Week:
    """Arrays of shape (cells, pairs), in request order. failures: where known."""

    failures: BoolArray
    known: BoolArray
    weights: FloatArray

    def moments(self) -> Moments:
        cells = self.failures.shape[0]
        group = np.repeat(np.arange(cells), self.failures.shape[1])[self.known.ravel()]
        return Moments.of(
            1.0 - self.failures[self.known].astype(np.float64), self.weights[self.known], group, groups=cells
        )


def simulate(world: RegressionWorld, *, runs: int, seed: int, advanced: Callable[[], None] | None = None) -> Found:
    """Repeat two weeks this often. advanced: called after each. Cost: some 30 ms a run."""
    counts: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    fewest = world.pairs
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        before, after = _week(world, world.accuracy, len(CELLS), rng), _week(world, world.accuracy, len(CELLS), rng)
        at = int(rng.integers(len(CELLS)))
        changed = _week(world, world.accuracy - world.drop, 1, rng)
        lost[" / ".join(CELLS[at])] += 1
        fewest = min(fewest, *(int(week.known.sum(axis=1).min()) for week in (before, after, changed)))
        baselines = [_baseline(world, before, cell) for cell in range(len(CELLS))]
        unchanged_named, unchanged_alarms = _named(before, after), _alarms(world, baselines, after)
        counts["false_discovery"] += bool(unchanged_named)
        counts["false_alarm"] += bool(unchanged_alarms)
        own_alarm = bool(_alarms(world, [baselines[at]], changed))
        named = _named(before, _with(after, at, changed))
        counts["named"] += at in named
        counts["other_named"] += bool(named - {at})
        counts["alarm"] += own_alarm
        counts["other_alarm"] += bool(unchanged_alarms - {at})
        if advanced is not None:
            advanced()

    def share(name: str, what: str, **bar: float) -> Share:
        return Share(name=name, what=what, count=counts[name], runs=runs, **bar)

    q, alpha = FALSE_DISCOVERY_RATE, world.alpha
    return Found(
        shares=(
            share("named", "weekly report: the cell that lost is named", at_least=0.9),
            share("other_named", "weekly report: any other cell is named", at_most=0.1),
            share("alarm", "between reports: its stream's alarm fires within the week", at_least=0.7),
            share("other_alarm", "between reports: any other stream's alarm fires", at_most=alpha),
            share("false_discovery", "no change, weekly report: any cell is named", at_most=q),
            share("false_alarm", "no change, between reports: any alarm fires", at_most=alpha),
        ),
        judged_least=fewest,
        cells=dict(lost),
    )


def _week(world: RegressionWorld, accuracy: float, cells: int, rng: np.random.Generator) -> _Week:
    shape = (cells, world.pairs)
    # Half of the requests have the smaller chance: they are the fewer among the pairs, and weigh more.
    heavy = rng.random(shape) < 1.0 / (1.0 + world.ratio)
    return _Week(
        rng.random(shape) < 1.0 - accuracy, rng.random(shape) >= world.missing, np.where(heavy, world.ratio, 1.0)
    )


def _with(week: _Week, at: int, changed: _Week) -> _Week:
    failures, known, weights = week.failures.copy(), week.known.copy(), week.weights.copy()
    failures[at], known[at], weights[at] = changed.failures[0], changed.known[0], changed.weights[0]
    return _Week(failures, known, weights)


def _named(before: _Week, after: _Week) -> set[int]:
    found = report(slices_of(after.moments(), before.moments()))
    return {at for at, finding in enumerate(found.findings) if finding.outcome == "worse"}


def _baseline(world: RegressionWorld, before: _Week, cell: int) -> Baseline:
    known = before.known[cell]
    found = freeze_baseline(
        before.failures[cell][known].astype(np.float64),
        before.weights[cell][known],
        alpha=stream_alpha(world.alpha, streams=len(CELLS), epoch=1),
        largest_weight=world.ratio,
    )
    if not isinstance(found, Baseline):
        raise ValueError(f"a week of {world.requests} requests is too little for a baseline: {found.detail}")
    return found


def _alarms(world: RegressionWorld, baselines: list[Baseline], week: _Week) -> set[int]:
    alpha = stream_alpha(world.alpha, streams=len(CELLS), epoch=1)
    alarmed = set()
    for at, baseline in enumerate(baselines):
        gained = gains(baseline, week.failures[at].astype(np.float64), week.known[at], week.weights[at])
        if fired(baseline.start().advance(gained), alpha):
            alarmed.add(at)
    return alarmed
