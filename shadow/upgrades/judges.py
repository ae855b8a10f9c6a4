"""How much of a real difference do the judges show at least? Sensitivity + specificity - 1, from what reviewers labelled."""

from __future__ import annotations

from datetime import datetime, timedelta

from shadow.statistics.wilson import wilson_interval
from shadow.store.engine import AsyncConnection
from shadow.store.labelled import labelled_answers

WINDOW = timedelta(days=90)
_LEAST = 20


async def judge_quality_low(connection: AsyncConnection, *, now: datetime) -> float | None:
    """The lower end, both intervals at 95 %; None below 20 labels of a kind. In [-1, 1]; not positive: judges show nothing."""
    found = await labelled_answers(connection, since=now - WINDOW, until=now)
    sides = []
    for truth in (1, 0):
        said = [a.probability for a in found if a.label == truth and a.probability is not None]
        if len(said) < _LEAST:
            return None
        mean = sum(p if truth else 1.0 - p for p in said) / len(said)
        sides.append(wilson_interval(mean, len(said))[0])
    return sides[0] + sides[1] - 1.0
