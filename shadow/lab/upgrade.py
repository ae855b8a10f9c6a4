"""Where do proposed upgrades end when the truth about the candidate is known, with judges that err and a label on some pairs?

Each run is a proposal that goes through the product's own moves: pairs enter, the verdict is looked at every so many pairs, and
a person who did not propose it approves what is ready.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np

from shadow.statistics.process_simulation import UpgradeWorld, upgrade_pairs
from shadow.statistics.upgrade_evidence import corrected_difference
from shadow.statistics.wilson import wilson_interval
from shadow.upgrades.design import Design
from shadow.upgrades.figures import figures
from shadow.upgrades.pairs import Pair
from shadow.upgrades.states import State, check_approver, check_move

#: Scenario -> true difference in accuracy, candidate minus pinned; None: worse by just the margin, the boundary of the null.
DIFFERENCES: Mapping[str, float | None] = MappingProxyType(
    {"upgrade-better": 0.03, "upgrade-same": 0.0, "upgrade-worse": -0.10, "boundary": None}
)
DISCORDANCE = 0.10
#: Pairs between two looks of the scheduler.
LOOK_EVERY = 100
#: Share of runs that have to end as the scenario says; the first two are a matter of how many pairs there are.
_BARS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "upgrade-better": ("ready and approved", 0.95),
        "upgrade-same": ("ready and approved", 0.80),
        "upgrade-worse": ("stopped for harm", 0.95),
    }
)
_MONTE_CARLO = 2.33


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Share of runs with its Wilson interval, held against a bar. pairs: median until the verdict fell."""

    name: str
    what: str
    share: float
    interval: tuple[float, float]
    at_least: float | None
    at_most: float | None
    pairs: float

    @property
    def met(self) -> bool:
        return (self.at_least is None or self.share >= self.at_least) and (
            self.at_most is None or self.share <= self.at_most
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """rows: the scenario's, then the boundary's. ends: share of runs by the state they ended in. example: figures of one run."""

    rows: tuple[Row, ...]
    ends: Mapping[str, float]
    example: Mapping[str, Any]


def simulate(
    scenario: str, design: Design, *, runs: int, seed: int, advanced: Callable[[], None] = lambda: None
) -> Found:
    """Run a scenario and the boundary, `runs` times each. Raises: KeyError for a scenario that is none."""
    ends, lengths, example = _ends(scenario, design, runs=runs, seed=seed, advanced=advanced)
    what, least = _BARS[scenario]
    share = ends["harmed" if scenario == "upgrade-worse" else "approved"] / runs
    row = _row(scenario, what, share, runs, float(np.median(lengths)), at_least=least)
    at_boundary, lengths, _ = _ends("boundary", design, runs=runs, seed=seed, advanced=advanced)
    allowance = design.alpha + _MONTE_CARLO * np.sqrt(design.alpha * (1 - design.alpha) / runs)
    wrong = at_boundary["approved"] / runs
    boundary = _row(
        "boundary",
        f"wrongly ready, worse by {design.margin:.0%}",
        wrong,
        runs,
        float(np.median(lengths)),
        at_most=float(allowance),
    )
    return Found(rows=(row, boundary), ends={state: n / runs for state, n in sorted(ends.items())}, example=example)


def _ends(
    scenario: str, design: Design, *, runs: int, seed: int, advanced: Callable[[], None]
) -> tuple[Counter[State], list[int], Mapping[str, Any]]:
    difference = DIFFERENCES[scenario]
    world = UpgradeWorld(
        difference=-design.margin if difference is None else difference,
        pairs=design.cap_pairs,
        discordance=DISCORDANCE,
        label_inclusion=design.label_share,
        margin=design.margin,
    )
    ends: Counter[State] = Counter()
    lengths, example = [], None
    for number in range(runs):
        rng = np.random.default_rng([seed, list(DIFFERENCES).index(scenario), number])
        judged, labelled, truth = upgrade_pairs(world, rng)
        end, used = _lived_through(design, judged, labelled, truth)
        ends[end] += 1
        lengths.append(used)
        if example is None:
            example = figures(_pairs(judged[:used], labelled[:used], truth[:used], design.label_share, rng), design)
        advanced()
    return ends, lengths, example or {}


def _lived_through(
    design: Design, judged: np.ndarray[Any, Any], labelled: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]
) -> tuple[State, int]:
    """The state in which a proposal ends, and after how many pairs its verdict fell."""
    z = corrected_difference(judged, labelled, truth, np.full(judged.size, design.label_share))
    state: State = _moved("proposed", "shadowing")
    evidence, used = design.evidence(), 0
    while evidence.verdict(alpha=design.alpha, cap_pairs=design.cap_pairs) == "open":
        evidence = evidence.advance(z[used : used + LOOK_EVERY])
        used = min(used + LOOK_EVERY, z.size)
    verdict = evidence.verdict(alpha=design.alpha, cap_pairs=design.cap_pairs)
    if verdict == "worse":
        return _moved(state, "harmed"), used
    if verdict == "inconclusive":
        return _moved(state, "inconclusive"), used
    state = _moved(state, "ready")
    check_approver("mira", "jon")
    return _moved(state, "approved"), used


def _moved(current: State, to: State) -> State:
    check_move(0, current, to)
    return to


def _pairs(
    judged: np.ndarray[Any, Any],
    labelled: np.ndarray[Any, Any],
    truth: np.ndarray[Any, Any],
    eta: float,
    rng: np.random.Generator,
) -> list[Pair]:
    start, types = datetime(2026, 1, 5, tzinfo=UTC), ("arithmetic", "extraction", "summary")
    z = corrected_difference(judged, labelled, truth, np.full(judged.size, eta))
    costs = rng.gamma(4.0, 0.0005, size=judged.size)
    return [
        Pair(
            request_id=f"{number}",
            started_at=start + timedelta(minutes=number),
            query_type=types[number % len(types)],
            feature="",
            eta=eta,
            label_drawn=bool(labelled[number]),
            judged=float(judged[number]),
            label=int(truth[number]) if labelled[number] else None,
            z=float(z[number]),
            missing=None,
            costs_usd=(0.5 * float(costs[number]), float(costs[number])),
            seconds=(0.8, 1.0),
            markers=(0, 0),
            panel="lab",
        )
        for number in range(judged.size)
    ]


def _row(
    name: str,
    what: str,
    share: float,
    runs: int,
    pairs: float,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Row:
    return Row(
        name=name,
        what=what,
        share=share,
        interval=wilson_interval(share, runs),
        at_least=at_least,
        at_most=at_most,
        pairs=pairs,
    )
