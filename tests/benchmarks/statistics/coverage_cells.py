"""Do the accuracy intervals cover in every cell of the design, and what is the judge's help worth?

A cell is good when its coverage lies in 93-97 %, and marked `~` when it does not but its 99 % Monte Carlo interval reaches in.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from bars import Row

from shadow.statistics.accuracy import corrected, labels_only
from shadow.statistics.simulation import JUDGES, Coverage, Estimator, World, cover

LOW, HIGH = 0.93, 0.97
ACCURACIES = (0.6, 0.8, 0.9, 0.95, 0.98)

PLAIN: dict[str, Estimator] = {"corrected": lambda s, _: corrected(s), "labels": lambda s, _: labels_only(s)}
PUT_RIGHT: dict[str, Estimator] = {
    "corrected": lambda s, r: corrected(s, reviewer=r),
    "labels": lambda s, r: labels_only(s, reviewer=r),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One line of the table. must_cover: part of the bar; widest: the bar on width against labels only."""

    part: str
    name: str
    worlds: tuple[World, ...]
    estimators: dict[str, Estimator]
    must_cover: bool = True
    widest: float | None = None


def cells() -> Iterator[Cell]:
    """The design: the main grid, then what departs from it one thing at a time."""
    for accuracy, mirrored, judge, ratio in itertools.product(
        ACCURACIES, (250, 500, 1000, 2000), ("good", "erring", "useless"), (1.0, 4.0)
    ):
        world = World(accuracy=accuracy, mirrored=mirrored, judge=JUDGES[judge], inclusion_ratio=ratio)
        # With 200 labels on 250 samples even a perfect judge can't take a tenth off (sqrt(.8) = .89).
        widest = {"useless": 1.0, "good": 0.9 if mirrored >= 500 else None}.get(judge)
        yield Cell(part="grid", name=f"{judge}, pi 1:{ratio:g}", worlds=(world,), estimators=PLAIN, widest=widest)
    for accuracy, judge, ratio in itertools.product(ACCURACIES, ("good", "erring"), (1.0, 4.0)):
        world = World(accuracy=accuracy, mirrored=500, judge=JUDGES[judge], inclusion_ratio=ratio)
        world = replace(world, abstain_good=0.1, abstain_bad=0.3)
        yield Cell(part="abstain", name=f"{judge}, pi 1:{ratio:g}", worlds=(world,), estimators=PLAIN)
    for accuracy, mirrored in itertools.product(ACCURACIES, (250, 1000)):
        world = World(accuracy=accuracy, mirrored=mirrored, reviewer_error=0.03)
        yield Cell(part="reviewer 3 %", name="put right", worlds=(world,), estimators=PUT_RIGHT)
        yield Cell(part="reviewer 3 %", name="trusted", worlds=(world,), estimators=PLAIN, must_cover=False)
    for accuracy in ACCURACIES:
        world = World(accuracy=accuracy, mirrored=1000, inclusion_ratio=4.0, self_weighting=False)
        yield Cell(part="uneven labels", name="good, pi 1:4", worlds=(world,), estimators=PLAIN)
    for accuracy, labels in itertools.product((0.6, 0.9, 0.98), (20, 50, 100)):
        world = World(accuracy=accuracy, mirrored=500, labels=labels)
        yield Cell(part="few labels", name=f"{labels} labels", worlds=(world,), estimators=PLAIN, must_cover=False)
    for accuracy in ACCURACIES:
        world = World(accuracy=accuracy, mirrored=1000, judge=JUDGES["near perfect"])
        yield Cell(part="near perfect", name="judge", worlds=(world,), estimators=PLAIN, must_cover=False)

    for name, labels_by_tier in (("three tiers, ample", (200, 60, 40)), ("three tiers, few", (200, 15, 10))):
        fast, mid, top = labels_by_tier
        worlds = (
            World(tier="fast", accuracy=0.8, mirrored=700, labels=fast),
            World(tier="mid", accuracy=0.93, mirrored=250, labels=mid),
            World(tier="top", accuracy=0.98, mirrored=60, labels=top, mean_inclusion=0.01),
        )
        yield Cell(part="overall", name=name, worlds=worlds, estimators=PLAIN, must_cover=False)


def mark(found: Coverage) -> str:
    if LOW <= found.covered <= HIGH:
        return " "
    reach = 2.576 * found.standard_error
    return "~" if found.covered + reach >= LOW and found.covered - reach <= HIGH else "X"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One line, and which bars it missed."""

    line: str
    uncovered: bool
    wide: bool


def measure(index: int, *, runs: int, seed: int) -> Measured:
    """The index-th cell of the design."""
    cell = next(itertools.islice(cells(), index, None))
    rng = np.random.default_rng([seed, index])
    result = cover(cell.worlds, cell.estimators, runs=runs, rng=rng)
    found, labels = result["corrected"], result["labels"]
    ratio = found.width / labels.width
    wide = cell.widest is not None and ratio > cell.widest
    line = (
        f"{cell.part:14} {cell.name:20} {cell.worlds[0].accuracy:4} {cell.worlds[0].mirrored:5} |"
        f" {found.covered:.4f}{mark(found)} {found.width:.4f} | {labels.covered:.4f} {labels.width:.4f} |"
        f" {ratio:.3f}{'W' if wide else ' '} {found.bias:+.4f} {found.undefined}"
    )
    return Measured(line=line, uncovered=cell.must_cover and mark(found) == "X", wide=wide)


def chosen(part: str) -> list[int]:
    """Numbers of the cells whose part's name contains `part`."""
    return [index for index, cell in enumerate(cells()) if part in cell.part]


def report(measured: Iterable[Measured], *, runs: int) -> list[Row]:
    """Print every cell as it comes; the two rows of the table that they are about."""
    print(f"{'part':14} {'cell':20} {'acc':>4} {'n':>5} | cover   width | labels  width | ratio   bias undefined")
    shown = uncovered = wide = 0
    for one in measured:
        print(one.line, flush=True)
        shown, uncovered, wide = shown + 1, uncovered + one.uncovered, wide + one.wide
    print(f"{shown} cells (X coverage missed, W too wide)\n")
    return [
        Row(what=f"cells of {shown} whose coverage is not 93-97 %", runs=runs, found=float(uncovered), at_most=0.0),
        Row(what=f"cells of {shown} wider than labels allow (1.00, .9)", runs=runs, found=float(wide), at_most=0.0),
    ]
