"""How often do fitted thresholds break their promise? The whole fit, over many draws of labels from a known world.

`make bench-selective`: a row per world, with the share of fits whose true agreement among decided pairs is below the target. It
must not exceed 1 - confidence by more than the simulation's own error. Rows of one question have a common difficulty; the second
judge is better and dearer than the first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from judges.contracts import Comparison, Judgment
from judges.errors import NotEnoughLabels
from judges.fitting import fit_calibration
from judges.panel import Panel
from judges.verdicts import Target

_POPULATION = 6_000


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """labels: rows to fit on; rows: of one question; sharp: how well judges see; base: the mean of what answers are worth."""

    labels: int
    rows: int
    sharp: float
    base: float


WORLDS = (
    World(labels=200, rows=1, sharp=0.8, base=0.5),
    World(labels=600, rows=4, sharp=0.8, base=0.5),
    World(labels=600, rows=1, sharp=0.6, base=1.0),
    World(labels=2_000, rows=4, sharp=0.6, base=0.5),
    World(labels=2_000, rows=4, sharp=0.2, base=0.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Rows of a world: what they are, and a panel that knows what each judge says of them."""

    comparisons: list[Comparison]
    labels: list[int]
    groups: list[str]
    panel: Panel


class Scripted:
    """A judge that gives the scores it was made with."""

    def __init__(self, name: str, scores: Sequence[float]) -> None:
        self.name = name
        self._scores = scores

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, by the number that is its answer."""
        return [
            Judgment(judge=self.name, verdict="accept", score=self._scores[int(c.answer)], rationale="")
            for c in comparisons
        ]


def draw(world: World, n: int, rng: np.random.Generator) -> Draw:
    """n rows, and a fresh panel for them."""
    questions = n // world.rows
    difficulty = np.repeat(rng.normal(0, 0.8, questions), world.rows)
    worth = world.base + difficulty + rng.normal(0, 0.8, len(difficulty))
    label = rng.random(len(worth)) < 1 / (1 + np.exp(-2 * worth))
    seen = np.where(label, 1.0, -1.0) * world.sharp
    noise = 0.5 * np.repeat(rng.normal(0, 1, questions), world.rows)
    cheap = 1 / (1 + np.exp(-(seen + noise + rng.normal(0, 1, len(worth)))))
    dear = 1 / (1 + np.exp(-(1.5 * seen + rng.normal(0, 1, len(worth)))))
    return Draw(
        comparisons=[Comparison(prompt="Q", answer=str(i), reference="r", query_type="qa") for i in range(len(worth))],
        labels=[int(y) for y in label],
        groups=[str(i // world.rows) for i in range(len(worth))],
        panel=Panel([Scripted("lexical@0", cheap.tolist()), Scripted("rubric@0", dear.tolist())]),
    )


def one_fit(world: World, target: Target, population: Draw, rng: np.random.Generator) -> tuple[float, float, float]:
    """(true agreement of the decided, share decided, share that was spared the dear judge) of one fit."""
    drawn = draw(world, world.labels, rng)
    try:
        made = asyncio.run(
            fit_calibration(
                drawn.panel, drawn.comparisons, drawn.labels, groups=drawn.groups, target=target, provenance={}
            )
        )
    except NotEnoughLabels:
        return 1.0, 0.0, 0.0
    said = asyncio.run(population.panel.with_calibration(made).judge(population.comparisons))
    decided = [(s.verdict == "accept") == bool(y) for s, y in zip(said, population.labels, strict=True) if s.certified]
    agreement = float(np.mean(decided)) if decided else 1.0
    return agreement, len(decided) / len(said), sum(bool(s.spared) for s in said) / len(said)


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--target-agreement", type=float, default=0.9)
    parser.add_argument("--target-confidence", type=float, default=0.9)
    options = parser.parse_args()
    target = Target(agreement=options.target_agreement, confidence=options.target_confidence)
    delta = 1 - target.confidence
    allowed = delta + 2.33 * math.sqrt(delta * (1 - delta) / options.runs)
    for world in WORLDS:
        population = draw(world, _POPULATION, np.random.default_rng(options.seed))
        rng = np.random.default_rng([options.seed, world.labels, world.rows])
        runs = [one_fit(world, target, population, rng) for _ in range(options.runs)]
        broken = sum(agreement < target.agreement for agreement, _, _ in runs) / options.runs
        print(
            json.dumps(
                {
                    "labels": world.labels,
                    "rows_of_a_question": world.rows,
                    "sharpness": world.sharp,
                    "runs": options.runs,
                    "broken": round(broken, 4),
                    "allowed": round(allowed, 4),
                    "certified_fits": sum(share > 0 for _, share, _ in runs) / options.runs,
                    "mean_coverage": round(float(np.mean([share for _, share, _ in runs])), 3),
                    "mean_spared": round(float(np.mean([spared for _, _, spared in runs])), 3),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
