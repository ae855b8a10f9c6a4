"""May this pair enter now, and as what? Pairs enter in request order: one that is not finished yet holds up those behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shadow.store.upgrade_pairs import Side, Waiting
from shadow.upgrades.pairs import Pair, gain

#: So many reviewers who could not tell are enough.
_MOST_SKIPS = 2
_FINAL = {"judged", "abstained", "failed", "shed", None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a pair is waited for; after that it is missing, counted as such, and bets nothing."""

    verdict: timedelta
    label: timedelta


def resolve(found: Waiting, patience: Patience, *, now: datetime) -> Pair | None:
    """The pair as it enters; None while something may still come. A model that did not answer gave no acceptable answer."""
    age = now - found.row.started_at
    if found.state not in _FINAL and age < patience.verdict:
        return None
    candidate, pinned = found.candidate, found.pinned
    if found.state is None and found.row.phase == "canary" and not found.row.served_candidate:
        return _pair(found, judged=-1.0, label=None, z=-1.0)  # at the top: it failed, and the pinned model answered
    if candidate is None or pinned is None:
        return _missing(found, "the other model was not asked: budget, or a worker that was down")
    if not candidate.obtained and not pinned.obtained:
        return _missing(found, "neither model answered")
    judged, label = _difference(_accepted(candidate), _accepted(pinned)), None
    if found.row.label_drawn:
        label = _labels(candidate, pinned)
        if label is None:
            if max(candidate.skips, pinned.skips) >= _MOST_SKIPS:
                return _missing(found, "reviewers could not tell", judged)
            if age < patience.label:
                return None
            return _missing(found, "no reviewer looked at it in time", judged)
    if found.row.eta <= 0.0 and judged is None:
        return _missing(found, "the panel is undecided")
    eta, drawn = found.row.eta, found.row.label_drawn
    z = judged if eta <= 0.0 else gain(judged=judged, label_drawn=drawn, label=label, eta=eta)
    return _pair(found, judged=judged, label=label, z=z)


def _accepted(side: Side) -> float | None:
    return side.probability if side.obtained else 0.0


def _difference(candidate: float | None, pinned: float | None) -> float | None:
    return None if candidate is None or pinned is None else candidate - pinned


def _labels(candidate: Side, pinned: Side) -> int | None:
    ours = candidate.label if candidate.obtained else 0
    theirs = pinned.label if pinned.obtained else 0
    return None if ours is None or theirs is None else ours - theirs


def _missing(found: Waiting, why: str, judged: float | None = None) -> Pair:
    return _pair(found, judged=judged, label=None, z=None, missing=why)


def _pair(
    found: Waiting, *, judged: float | None, label: int | None, z: float | None, missing: str | None = None
) -> Pair:
    row, candidate, pinned = found.row, found.candidate, found.pinned
    both = candidate is not None and pinned is not None and candidate.obtained and pinned.obtained
    costs = seconds = markers = panel = None
    if both and candidate is not None and pinned is not None:
        costs, markers = (candidate.cost_usd, pinned.cost_usd), (candidate.markers, pinned.markers)
        panel = candidate.panel or pinned.panel
        if candidate.seconds is not None and pinned.seconds is not None:
            seconds = candidate.seconds, pinned.seconds
    return Pair(
        request_id=row.request_id,
        started_at=row.started_at,
        query_type=row.query_type,
        feature=row.feature,
        eta=row.eta,
        label_drawn=row.label_drawn,
        judged=judged,
        label=label,
        z=z,
        missing=missing,
        costs_usd=costs,
        seconds=seconds,
        markers=markers,
        panel=panel,
    )
