"""Do the estimates cover the truth? The lab's world without HTTP, many weeks a second.

The parts that decide are the product's own: the router's features, scorer and gate, the sampling design, the judges' panel, the
additive sums and the estimators. What is left out is transport and storage: requests are drawn as arrays, and each distinct
comparison is judged once and its verdict looked up afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import numpy.typing as npt

from judges.contracts import Comparison
from judges.panel import Panel
from router.contracts import BANDS, Hints, Policy
from router.features import extract_features
from router.gate import Gate
from router.rules import Rules
from router.scorers.heuristic import HeuristicScorer
from shadow.lab.reviewer import SimulatedReviewer
from shadow.lab.seeds import stream
from shadow.lab.tasks.contracts import Task
from shadow.lab.world import KINDS, World
from shadow.reports.bands import BAND_INDEX
from shadow.reports.window import Report, report_on
from shadow.sampling.draws import Rates, accuracy_probability, label_probability
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.sums import Samples, Sums, sums_by_group
from shadow.store.rollups import Slice

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

HIGH_IMPACT_SHARE = 0.03
GOLD_CHECKS = 2000
_BATCH = 256
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_BANDS = tuple(sorted(BAND_INDEX, key=BAND_INDEX.__getitem__))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """All that does not change from run to run. Arrays over items unless said otherwise.

    served: item x (normal, high impact) -> position of the serving tier. band: index of the confidence band. kind: of the task.
    probability: item x tier -> chance of a right answer. cost_usd: item x tier.
    verdict: item x tier x (served wrong, right) x (reference wrong, right) -> the panel's probability, NaN where it abstains. For
    the top tier the reference is its own second answer.
    """

    tiers: tuple[str, ...]
    served: Ints
    band: Ints
    kind: Ints
    probability: Floats
    cost_usd: Floats
    verdict: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One simulated window: its report and the truth by tier, "" for all."""

    report: Report
    truth: Mapping[str, float]


def set_stage(world: World, policy: Policy, panel: Panel, progress: Callable[[int, int], None]) -> Stage:
    """Route every item and judge every comparison that can occur. progress: called with (done, all) comparisons.

    Cost: four comparisons per item and tier, about a thousand a second on free judges that need no embeddings.
    """
    tiers = tuple(tier.name for tier in world.tiers)
    tables = world.tables()
    gate = Gate.of(tiers, {tier.name: tier.context_tokens for tier in world.tiers}, Rules.of(()))
    scorer = HeuristicScorer.of(tiers)
    served = np.empty((len(world), 2), dtype=np.int64)
    band = np.empty(len(world), dtype=np.int64)
    for index, task in enumerate(world.items):
        features = extract_features({"messages": task.messages, "response_format": task.response_format})
        scores = scorer.scores(features)
        for column, impact in enumerate(("normal", "high")):
            hints = Hints(impact=impact)  # type: ignore[arg-type]
            decision = gate.decide(features=features, hints=hints, query_type=task.kind, scores=scores, policy=policy)
            served[index, column] = tiers.index(decision.chosen)
            band[index] = BAND_INDEX[decision.band]
    return Stage(
        tiers=tiers,
        served=served,
        band=band,
        kind=tables.kind,
        probability=tables.probability,
        cost_usd=tables.cost_usd,
        verdict=_judge_all(world, panel, progress),
    )


def with_judge(stage: Stage, *, flip: float = 0.0, constant: bool = False, seed: int = 0) -> Stage:
    """The same stage with a worse judge. flip: share of comparisons whose verdict is turned round; constant: says .8 to all."""
    verdict = stage.verdict.copy()
    if constant:
        verdict[~np.isnan(verdict)] = 0.8
    turned = np.random.default_rng(seed).random(verdict.shape) < flip
    verdict[turned] = 1.0 - verdict[turned]
    return replace(stage, verdict=verdict)


def run_window(
    stage: Stage,
    rates: Rates,
    rng: np.random.Generator,
    *,
    requests: int,
    reviewer: SimulatedReviewer,
    level: float = 0.95,
) -> Run:
    """Draw a window of requests, sample, judge and label it, and report on it. Cost: about 30 ms for 200,000 requests."""
    item = rng.integers(len(stage.band), size=requests)
    tier = stage.served[item, (rng.random(requests) < HIGH_IMPACT_SHARE).astype(np.int64)]
    right = rng.random(requests) < stage.probability[item, tier]
    # Lengths of completions vary; a factor with mean 1 on the list cost of the item.
    cost = stage.cost_usd[item, tier] * rng.gamma(20.0, 1 / 20.0, size=requests)

    pi = np.array([accuracy_probability(rates, t, stage.tiers) for t in range(len(stage.tiers))])
    eta = np.array([label_probability(rates, p, is_top=t == len(pi) - 1) for t, p in enumerate(pi)])
    picked = np.flatnonzero(rng.random(requests) < pi[tier])
    s_item, s_tier, s_right = item[picked], tier[picked], right[picked]
    top = len(stage.tiers) - 1
    reference_right = rng.random(picked.size) < stage.probability[s_item, top]
    p = stage.verdict[s_item, s_tier, s_right.astype(np.int64), reference_right.astype(np.int64)]
    decided = ~np.isnan(p)
    labelled = rng.random(picked.size) < eta[s_tier]
    label = s_right ^ (rng.random(picked.size) < reviewer.error)
    samples = Samples(
        inclusion=pi[s_tier],
        decided=decided,
        probability=np.where(decided, p, 0.0),
        labelled=labelled,
        label=label.astype(np.float64),
        label_inclusion=eta[s_tier],
        abstained=~decided,
        priced=s_tier < top,
        reference_cost_usd=stage.cost_usd[s_item, top] * rng.gamma(20.0, 1 / 20.0, size=picked.size),
        served_cost_usd=cost[picked],
    )
    slices = _slices(stage, samples, _key(stage, s_item, s_tier), cost, _key(stage, item, tier))
    report = report_on(
        slices,
        [],
        [],
        tiers=stage.tiers,
        since=_EPOCH,
        until=_EPOCH + timedelta(days=7),
        reviewer=_checked(reviewer, rng),
        level=level,
    )
    truth = {name: float(right[tier == t].mean()) for t, name in enumerate(stage.tiers) if (tier == t).any()}
    return Run(report=report, truth={**truth, "": float(right.mean())})


def _checked(reviewer: SimulatedReviewer, rng: np.random.Generator) -> Reviewer:
    return reviewer.gold_check(GOLD_CHECKS, rng)


def _key(stage: Stage, item: Ints, tier: Ints) -> Ints:
    """One number per (tier, kind, band)."""
    key: Ints = (tier * len(KINDS) + stage.kind[item]) * len(BANDS) + stage.band[item]
    return key


def _slices(stage: Stage, samples: Samples, key: Ints, cost: Floats, cost_key: Ints) -> list[Slice]:
    keys = list(product(stage.tiers, KINDS, _BANDS))
    matrix = sums_by_group(samples, key, groups=len(keys), costs_usd=cost, cost_group=cost_key)
    return [
        Slice(tier=tier, query_type=kind, band=band, model=None, feature=None, sums=Sums.from_vector(row))
        for (tier, kind, band), row in zip(keys, matrix, strict=True)
        if row[0] > 0
    ]


def _judge_all(world: World, panel: Panel, progress: Callable[[int, int], None]) -> Floats:
    tiers = world.tiers
    top = len(tiers) - 1
    verdict = np.full((len(world), len(tiers), 2, 2), np.nan)
    places = list(product(range(len(world)), range(len(tiers)), (0, 1), (0, 1)))
    for start in range(0, len(places), _BATCH):
        batch = places[start : start + _BATCH]
        comparisons = [
            _comparison(world.items[i], world, t, top, served_right=s, reference_right=r) for i, t, s, r in batch
        ]
        for place, judged in zip(batch, asyncio.run(panel.judge(comparisons)), strict=True):
            if judged.probability is not None:
                verdict[place] = judged.probability
        progress(min(start + _BATCH, len(places)), len(places))
    return verdict


def _comparison(
    task: Task, world: World, tier: int, top: int, *, served_right: int, reference_right: int
) -> Comparison:
    styles = world.tiers[tier].style, world.tiers[top].style
    answer = task.write(bool(served_right), styles[0], stream(world.seed, "answer", task.id, tier, served_right))
    reference = task.write(
        bool(reference_right), styles[1], stream(world.seed, "reference", task.id, tier, reference_right)
    )
    return Comparison(prompt=task.user, answer=answer, reference=reference, query_type=task.kind)


def coverage_of(runs: Sequence[Run], tier: str) -> Mapping[str, float | int | None]:
    """How the runs' intervals did for a tier ("" = all): shares in [0, 1], means over runs that had an estimate."""
    reports = [(run, next(t for t in (*run.report.tiers, run.report.overall) if t.tier == tier)) for run in runs]
    corrected = [
        (run.truth[tier], t.accuracy.corrected) for run, t in reports if t.accuracy.corrected and tier in run.truth
    ]
    raw = [(run.truth[tier], t.accuracy.raw) for run, t in reports if t.accuracy.raw and tier in run.truth]

    def mean(values: Sequence[float]) -> float | None:
        return float(np.mean(values)) if values else None

    return {
        "runs": len(runs),
        "estimated": len(corrected),
        "truth": mean([truth for truth, _ in corrected]),
        "estimate": mean([e.value for _, e in corrected]),
        "bias": mean([e.value - truth for truth, e in corrected]),
        "coverage": mean([float(e.covers(truth)) for truth, e in corrected]),
        "half_width": mean([(e.width or 0.0) / 2 for _, e in corrected]),
        "raw_estimate": mean([e.value for _, e in raw]),
        "raw_coverage": mean([float(e.covers(truth)) for truth, e in raw]),
        "requests": mean([t.requests for _, t in reports]),
        "mirrored": mean([t.accuracy.sampled for _, t in reports]),
        "labelled": mean([t.accuracy.labelled for _, t in reports]),
    }
