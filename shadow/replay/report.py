"""What does a replay report? Values that `json.dumps` takes: rates in [0, 1], money in USD, None where nothing is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shadow.replay.estimates import FIGURES, LEVEL, covered
from shadow.replay.frontier import Frontier, point
from shadow.replay.loop import Run, column
from shadow.replay.population import Floats
from shadow.replay.stage import Stage
from shadow.replay.summary import Json, coverage, spread
from shadow.replay.tuning_report import frontier_report, tuning_report

_COUNTS = ("requests", "mirrored", "judged", "labelled")
_SHARES = ("intermediate_share", "all_tiers_share", "control_share")


def accuracy_report(stage: Stage, runs: Sequence[Run]) -> Json:
    """By tier and for all: the truth, and each kind of estimate held against it."""
    truth = stage.truth()
    found = np.array([run.estimates.accuracy for run in runs])  # (runs, slices, figures, 3)
    counts = np.array([run.estimates.counts for run in runs])
    slices = {}
    for at, name in enumerate((*stage.tiers, "")):
        right = truth[name]
        slices[name or "all"] = {
            "tier": name or None,
            "truth": right,
            **{count: spread(counts[:, at, place]) for place, count in enumerate(_COUNTS)},
            **{
                figure: _figure(found[:, at, place], right, [run.estimates.reasons.get((name, figure)) for run in runs])
                for place, figure in enumerate(FIGURES)
            },
            "width_against_uniform": _ratio(found[:, at, 0], found[:, at, FIGURES.index("uniform")]),
            "width_against_labels_only": _ratio(found[:, at, 0], found[:, at, FIGURES.index("labels_only")]),
        }
    return {
        "level": LEVEL,
        "tiers": [slices[name] for name in stage.tiers],
        "overall": slices["all"],
    }


def money_report(stage: Stage, runs: Sequence[Run]) -> Json:
    """What the windows cost under the starting policy, mirrors included, and whether the estimated saving held the true one."""
    listed = list(runs)
    net = np.array([run.estimates.net_usd for run in runs])
    truth = np.array([run.estimates.net_truth_usd for run in runs])
    mirror, actual, all_top = (column(listed, name) for name in ("mirror_usd", "actual_usd", "all_top_usd"))
    return {
        "always_top_usd": stage.requests * float(stage.population.costs_usd[:, -1].mean()),
        "starting_policy_usd": spread(actual),
        "shadow_usd": spread(mirror),
        "shadow_share_of_always_top": spread(
            np.divide(mirror, all_top, out=np.full_like(mirror, np.nan), where=all_top > 0)
        ),
        "net_saving_usd": {
            "truth": spread(truth),
            "estimate": spread(net[:, 0]),
            "coverage": coverage(covered(net, truth)),
        },
        "cost_per_success_usd": spread(np.array([run.estimates.cost_per_success_usd[0] for run in runs])),
    }


def _figure(found: Floats, truth: float | None, reasons: Sequence[str | None]) -> Json:
    """found: (runs, 3). first_run: one estimate with its interval, as a person would see it."""
    first = found[0]
    known = not np.isnan(first[0])
    why = next((reason for reason in reasons if reason is not None), None)
    return {
        "runs": int((~np.isnan(found[:, 0])).sum()),
        "undefined": why,
        "first_run": dict(zip(("value", "low", "high"), map(float, first), strict=True)) if known else None,
        "estimate": spread(found[:, 0]),
        "bias": spread(found[:, 0] - truth) if truth is not None else spread(np.full(1, np.nan)),
        "width": spread(found[:, 2] - found[:, 1]),
        "coverage": coverage(covered(found, truth)) if truth is not None else coverage(np.full(1, np.nan)),
    }


def _ratio(one: Floats, other: Floats) -> Json:
    """Ratio of the mean widths over the runs in which both are known, and its 95 % interval by the delta method."""
    a, b = one[:, 2] - one[:, 1], other[:, 2] - other[:, 1]
    both = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[both], b[both]
    if a.size == 0 or b.mean() <= 0:
        return {"value": None, "low": None, "high": None}
    ratio = float(a.mean() / b.mean())
    if a.size == 1:
        return {"value": ratio, "low": None, "high": None}
    half = 1.96 * float((a - ratio * b).std(ddof=1)) / (float(b.mean()) * float(np.sqrt(a.size)))
    return {"value": ratio, "low": ratio - half, "high": ratio + half}


def replay_report(
    stage: Stage, runs: Sequence[Run], frontier: Frontier, *, seed: int, epsilon: float, delta: float
) -> Json:
    """All figures of a replay, beside what the caller knows of file, scorer and judge."""
    serving, rates = stage.serving, stage.rates
    thresholds = dict(serving.policy.thresholds)
    return {
        "tiers": list(stage.tiers),
        "rows": stage.population.rows,
        "requests": stage.requests,
        "repeat": len(runs),
        "seed": seed,
        "rates": {name: getattr(rates, name) for name in ("up", "down", "control_top", *_SHARES)},
        "starting_policy": {"thresholds": thresholds, "band": serving.policy.band},
        "accuracy": accuracy_report(stage, runs),
        "money": money_report(stage, runs),
        "tuning": tuning_report(stage, runs, frontier, epsilon=epsilon, delta=delta),
        "frontier": frontier_report(frontier, point(stage.population, serving.tier, "starting policy")),
    }


def labels_report(runs: Sequence[Run]) -> Json:
    """How many samples of a run were labelled, and how many could have been."""
    counts = np.array([run.estimates.counts[-1] for run in runs])
    return {"drawn": spread(counts[:, 3]), "mirrored": spread(counts[:, 1])}


def notes_of(stage: Stage, runs: Sequence[Run]) -> list[str]:
    """What a reader has to know beside the figures, a sentence each."""
    found = []
    cost = stage.population.costs_usd.mean(axis=0)
    for at, (tier, before) in enumerate(zip(stage.tiers[1:], stage.tiers, strict=False), start=1):
        if cost[at] < cost[at - 1]:
            found.append(
                f"tiers are taken to be cheapest first, but {tier} costs less than {before}; {stage.tiers[-1]}, the last one,"
                " is the top tier all the same."
            )
    served = np.bincount(stage.serving.tier, minlength=len(stage.tiers))
    idle = [tier for tier, rows in zip(stage.tiers, served, strict=True) if rows == 0]
    if idle:
        found.append(f"the scorer can't tell enough rows apart: the starting policy sends none to {', '.join(idle)}.")
    labelled = np.array([run.estimates.counts[-1, 3] for run in runs])
    mirrored = np.array([run.estimates.counts[-1, 1] for run in runs])
    if stage.labels is not None and (labelled < stage.labels).any():
        found.append(
            f"{stage.labels:,} labels were asked for, but only what is mirrored can be labelled: {mirrored.mean():,.0f} samples"
            f" in the mean, so {labelled.mean():,.0f} labels were drawn."
        )
    if stage.labels == 0:
        found.append("without labels verdicts can't be put right, and nothing is certified: see --labels.")
    return found
