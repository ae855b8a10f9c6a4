"""What did tuning bring, and did it keep its promise? Over all runs, with the truth of the file at hand.

A run ends with the certified policy, and with everything on the top tier where nothing could be certified. An uncertified
proposal is never put in force; what would have come of it is reported apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from shadow.replay.frontier import Frontier, Point
from shadow.replay.loop import Run, column
from shadow.replay.population import Floats
from shadow.replay.stage import Stage
from shadow.replay.summary import Json, allowance, coverage, share, spread


def tuning_report(stage: Stage, runs: Sequence[Run], frontier: Frontier, *, epsilon: float, delta: float) -> Json:
    """Certificates, true loss, cost, regret and savings of the policy with which each run ends."""
    top = frontier.fixed[-1]
    status = np.array([run.certificate.status for run in runs])
    ends = [run.proposed if run.certificate.status == "certified" and run.proposed else top for run in runs]
    proposals = [run.proposed for run in runs if run.certificate.status == "uncertified" and run.proposed is not None]
    cheaper = np.array([end.cost_usd < top.cost_usd for end in ends]) & (status == "certified")
    mirror = column(list(runs), "mirror_usd")
    always = stage.requests * top.cost_usd
    loss, cost = _values(ends, "loss"), _values(ends, "cost_usd")
    total = stage.requests * cost + mirror
    return {
        "epsilon": epsilon,
        "delta": delta,
        "outcomes": {name: int((status == name).sum()) for name in ("certified", "uncertified", "keep")},
        "why": dict(Counter(run.certificate.why for run in runs)),
        "proof": dict(Counter(run.certificate.proof for run in runs if run.certificate.proof is not None)),
        "pairs": spread(np.array([float(run.certificate.pairs) for run in runs])),
        "labelled_pairs": spread(np.array([float(run.certificate.labels) for run in runs])),
        "more_pairs": spread(np.array([_number(run.certificate.more_pairs) for run in runs])),
        "more_labels": spread(
            np.array([_number(r.certificate.more_labels) for r in runs if r.certificate.status == "uncertified"])
        ),
        "certified_cheaper": share(cheaper.astype(float)),
        "policy": {
            "loss": spread(loss),
            "loss_above_epsilon": _broken(loss, epsilon, delta),
            "accuracy": spread(_values(ends, "accuracy")),
            "usd_per_1000": spread(1000 * cost),
        },
        "estimated_loss": _estimated(runs),
        "cost": {
            "always_top_usd": always,
            "policy_usd": spread(stage.requests * cost),
            "shadow_usd": spread(mirror),
            "saved_share": spread(1.0 - total / always) if always > 0 else spread(np.full(1, np.nan)),
            "within_always_top": share((total <= always).astype(float)),
        },
        "regret": {name: _regret(ends, against) for name, against in _rivals(frontier).items()},
        "uncertified_proposals": _uncertified(proposals, epsilon, delta),
    }


def frontier_report(frontier: Frontier, starting: Point) -> Json:
    """What there is to choose from, all of it exact: means over the file."""
    return {
        "always": {one.name: _point(one) for one in frontier.fixed},
        "starting_policy": _point(starting),
        "best_fixed_policy": _point(frontier.best),
        "oracle": _point(frontier.oracle),
        "curve": [_point(one) for one in frontier.curve],
        "dominated": frontier.dominated,
    }


def _rivals(frontier: Frontier) -> dict[str, Point]:
    return {"best_fixed_policy": frontier.best, "oracle": frontier.oracle, "always_top": frontier.fixed[-1]}


def _regret(ends: Sequence[Point], rival: Point) -> Json:
    """How much more each run's policy costs than the rival (positive: dearer), and how much less accurate it is."""
    return {
        "usd_per_1000": spread(1000 * (_values(ends, "cost_usd") - rival.cost_usd)),
        "accuracy": spread(rival.accuracy - _values(ends, "accuracy")),
    }


def _broken(loss: Floats, epsilon: float, delta: float) -> Json:
    """allowed: delta with its Monte Carlo allowance at this number of runs."""
    found = share((loss > epsilon + 1e-12).astype(float))
    allowed = allowance(delta, loss.size)
    return {**found, "allowed": allowed, "kept": found["value"] <= allowed if found["value"] is not None else None}


def _estimated(runs: Sequence[Run]) -> Json:
    """Did the interval of the loss hold the true loss of the proposed policy? Chosen policies flatter themselves a little."""
    hits = [
        float(run.certificate.risk.covers(run.proposed.loss))
        for run in runs
        if run.proposed is not None and run.certificate.risk is not None
    ]
    values = [
        run.certificate.risk.value for run in runs if run.proposed is not None and run.certificate.risk is not None
    ]
    return {"estimate": spread(np.array(values)), "coverage": coverage(np.array(hits))}


def _uncertified(proposals: Sequence[Point], epsilon: float, delta: float) -> Json | None:
    if not proposals:
        return None
    loss = _values(proposals, "loss")
    return {
        "runs": len(proposals),
        "applied": False,
        "loss": spread(loss),
        "loss_above_epsilon": _broken(loss, epsilon, delta),
        "usd_per_1000": spread(1000 * _values(proposals, "cost_usd")),
    }


def _values(points: Sequence[Point], name: str) -> Floats:
    return np.array([getattr(one, name) for one in points], dtype=float)


def _number(value: int | None) -> float:
    return np.nan if value is None else float(value)


def _point(one: Point) -> Json:
    found = asdict(one)
    return {"accuracy": found["accuracy"], "usd_per_1000": 1000 * found["cost_usd"], "loss": found["loss"]}
