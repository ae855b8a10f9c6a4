"""Does a job of the leader fail again and again? Counted while the leader leads; told as an alert until its next success."""

from __future__ import annotations

from datetime import datetime

from shadow.store import alerts
from shadow.store.engine import AsyncEngine

KIND = "job_failing"
#: So many failures in a row are no accident any more.
TOLD_AFTER = 3


class JobRecord:
    """How the jobs of this leader fare. A new leader counts anew, and closes what was open at each job's first success."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._failures: dict[str, int] = {}

    async def failed(self, job: str, error: str, *, now: datetime) -> None:
        """Count a failure; from the third in a row on it is an alert. error: the kind of error, without data."""
        count = self._failures.get(job, 0) + 1
        self._failures[job] = count
        if count < TOLD_AFTER:
            return
        async with self._engine.begin() as connection:
            await alerts.open_alert(
                connection,
                kind=KIND,
                key=job,
                severity="critical" if count >= 4 * TOLD_AFTER else "warning",
                message=f"the job {job!r} failed {count} times in a row, last with {error}; the scheduler's log says more",
                details={"failures": count, "error": error},
                now=now,
            )

    async def succeeded(self, job: str, *, now: datetime) -> None:
        """Note a success. Cost: nothing but after a failure, and the first time."""
        if self._failures.get(job) == 0:
            return
        async with self._engine.begin() as connection:
            await alerts.close_alerts(connection, KIND, [job], now=now)
        self._failures[job] = 0
