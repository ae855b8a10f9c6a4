"""What is known of one request that both models answered, and what may be bet on it?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from shadow.statistics.upgrade_evidence import corrected_difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A pair that has entered. judged: accept(candidate) - accept(pinned) of the panel, in [-1, 1], None where undecided;
    label: the same of reviewers, -1, 0 or 1; eta: chance of being asked about. z: what was bet on, None for a missing pair.

    costs_usd, seconds, markers: (candidate, pinned), None where one of them did not answer.
    """

    request_id: str
    started_at: datetime
    query_type: str
    feature: str
    eta: float
    label_drawn: bool
    judged: float | None
    label: int | None
    z: float | None
    missing: str | None
    costs_usd: tuple[float, float] | None = None
    seconds: tuple[float, float] | None = None
    markers: tuple[int, int] | None = None
    panel: str | None = None


def gain(*, judged: float | None, label_drawn: bool, label: int | None, eta: float) -> float:
    """Z of a pair whose label is there if it was drawn. An undecided panel says 0, which labels put right on average."""
    found = corrected_difference(
        np.array([0.0 if judged is None else judged]),
        np.array([label_drawn]),
        np.array([0.0 if label is None else float(label)]),
        np.array([eta]),
    )
    return float(found[0])


def digest(pairs: Iterable[Pair]) -> str:
    """SHA-256 over what was bet on, in the order in which it was. Any change of any pair changes it."""
    found = hashlib.sha256()
    for pair in pairs:
        line = (pair.request_id, pair.eta, pair.label_drawn, pair.judged, pair.label, pair.z, pair.missing)
        found.update(repr(line).encode())
        found.update(b"\n")
    return found.hexdigest()
