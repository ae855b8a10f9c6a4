"""What work is queued, and what happens when it fails? The task table of the worker, on procrastinate.

Two tasks: `mirror` obtains the shadow completions of a sample, `judge` holds them against each other. Both are idempotent: a
task that runs twice (a worker killed in between, a job handed out again) finds the sample's state moved on and does nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import procrastinate
import structlog

from judges.contracts import Comparison
from judges.panel import Panel
from shadow.judging.kinship import Kinship
from shadow.judging.mirrored import comparisons, missing_reference, outcome_state, without_texts
from shadow.judging.panels import Panels
from shadow.judging.prompts import question_of
from shadow.mirror import Call, Mirror, is_transient
from shadow.redaction import cleaner
from shadow.settings import Settings
from shadow.store import budgets, samples
from shadow.store.engine import AsyncConnection, AsyncEngine
from shadow.store.judge_days import count_judgments
from shadow.store.model_reports import note_sightings
from shadow.store.samples import Answer, Sample
from shadow.task_queue import JUDGE, MIRROR
from shadow.upgrades.asking import asked_instead

log = structlog.get_logger()

JUDGE_ATTEMPTS = 3


def _attempts(most: int, wait_seconds: int) -> procrastinate.RetryStrategy | bool:
    """Run a task at most that often, whatever it fails with, waiting longer each time."""
    return procrastinate.RetryStrategy(max_attempts=most - 1, exponential_wait=wait_seconds) if most > 1 else False


class MirrorIncompleteError(Exception):
    """A completion is still missing and may be had later; the queue runs the job again."""


class Tasks:
    """The work on a sample, with all that it needs. `register` puts it on a queue."""

    def __init__(self, settings: Settings, engine: AsyncEngine, mirror: Mirror, panels: Panels) -> None:
        self._settings = settings
        self._engine = engine
        self._mirror = mirror
        self._panels = panels
        self._kinship = Kinship(settings)

    def register(self, app: procrastinate.App) -> None:
        sampling = self._settings.sampling
        wait = max(sampling.retry_wait_seconds, 2)

        @app.task(name=MIRROR, queue=MIRROR, pass_context=True, retry=_attempts(sampling.max_attempts, wait))
        async def mirror(context: procrastinate.JobContext, request_id: str) -> None:
            last_attempt = context.job.attempts + 1 >= sampling.max_attempts
            async with self._failing_openly(request_id, MIRROR, last_attempt=last_attempt):
                if await self.mirror(request_id, last_attempt=last_attempt):
                    await app.configure_task(JUDGE, queue=JUDGE).defer_async(request_id=request_id)

        @app.task(name=JUDGE, queue=JUDGE, pass_context=True, retry=_attempts(JUDGE_ATTEMPTS, 2))
        async def judge(context: procrastinate.JobContext, request_id: str) -> None:
            last_attempt = context.job.attempts + 1 >= JUDGE_ATTEMPTS
            async with self._failing_openly(request_id, JUDGE, last_attempt=last_attempt):
                await self.judge(request_id)

    @contextlib.asynccontextmanager
    async def _failing_openly(self, request_id: str, task: str, *, last_attempt: bool) -> AsyncIterator[None]:
        """A task that fails for the last time takes its sample out of the waiting ones: it counts as failed, with the reason."""
        try:
            yield
        except Exception as exc:
            if last_attempt:
                async with self._engine.begin() as connection:
                    await samples.set_state(connection, request_id, "failed", failure=f"{task}: {type(exc).__name__}")
            raise

    async def mirror(self, request_id: str, *, last_attempt: bool) -> bool:
        """Obtain what is still missing; True if the sample is ready to be judged.

        Raises: MirrorIncompleteError where a later attempt may help and is allowed.
        """
        async with self._engine.connect() as connection:
            sample = await samples.load_sample(connection, request_id)
            known = await samples.load_answers(connection, request_id) if sample else []
            chains = await asked_instead(connection, self._settings, request_id)
        if sample is None:
            return False
        if sample.state != "sampled":
            return sample.state == "mirrored"
        obtained = {(a.tier, a.repeat) for a in known if a.outcome == "ok"}
        outcomes = await asyncio.gather(
            *(
                self._obtain(sample, self._mirror.plan(target, sample, chains), target.tier)
                for target in sample.targets
                if (target.tier, target.repeat) not in obtained
            )
        )
        waiting = [outcome for outcome in outcomes if is_transient(outcome)]
        if waiting and not last_attempt:
            raise MirrorIncompleteError(", ".join(waiting))
        async with self._engine.begin() as connection:
            answers = await samples.load_answers(connection, request_id)
            missing = missing_reference(sample, answers)
            if missing is None:
                await samples.set_state(connection, request_id, "mirrored")
            else:
                shed = "budget" in outcomes
                await samples.set_state(
                    connection, request_id, "shed" if shed else "failed", failure="budget" if shed else missing
                )
                await self._let_go(connection, sample, answers)  # nobody will judge it
                log.warning("sample.failed", request_id=request_id, reason="budget" if shed else missing)
        return missing is None

    async def _obtain(self, sample: Sample, call: Call | None, tier: str) -> str:
        """Ask for one completion within the budget and store what came of it; returns the outcome."""
        if call is None:
            log.warning("mirror.impossible", request_id=sample.request_id, tier=tier)
            return "no_tier"
        cap = Decimal(str(self._settings.sampling.budget_usd_per_day))
        if sample.is_of_upgrade:
            cap *= Decimal(str(self._settings.upgrades.budget_share))
        async with self._engine.begin() as connection:
            reservation = await budgets.reserve(
                connection, "mirror", call.worst_case_usd, cap_usd=cap, now=datetime.now(UTC)
            )
        if reservation is None:
            return "budget"
        answer = await self._mirror.ask(call)
        async with self._engine.begin() as connection:
            await budgets.settle(connection, reservation, answer.cost_usd)
            await note_sightings(connection, self._mirror.sightings())
            await samples.save_answer(connection, sample.request_id, answer)
        return answer.outcome

    async def judge(self, request_id: str) -> None:
        """Judge every answer obtained, store the verdicts, and let go of the texts that may not be kept."""
        async with self._engine.connect() as connection:
            sample = await samples.load_sample(connection, request_id)
            answers = await samples.load_answers(connection, request_id) if sample else []
        if sample is None or sample.state != "mirrored":
            return
        pairs = comparisons(sample, answers, question_of(sample.request_body, sample.dialect), self._kinship)
        panel, reservation = await self._panel_within_budget([comparison for _, comparison in pairs])
        judged = await panel.judge([comparison for _, comparison in pairs])
        clean = cleaner(self._settings.sampling.store_text)
        stored = judged if clean is None else [without_texts(said, clean) for said in judged]
        verdicts = list(zip([answer for answer, _ in pairs], stored, strict=True))
        async with self._engine.begin() as connection:
            if reservation is not None:
                spent = sum((judgment.cost_usd for judgment in judged), Decimal(0))
                await budgets.settle(connection, reservation, spent)
            await samples.save_judgments(connection, request_id, verdicts)
            await count_judgments(connection, sample.query_type, judged, day=datetime.now(UTC).date())
            await samples.set_state(connection, request_id, outcome_state(sample, verdicts))
            await self._let_go(connection, sample, answers)

    async def _panel_within_budget(self, pairs: Sequence[Comparison]) -> tuple[Panel, str | None]:
        """The panel that today's money allows, and the reservation for it."""
        panels = self._panels
        if panels.paid is None:
            return panels.free, None
        worst = panels.worst_case_usd(pairs)
        cap = Decimal(str(self._settings.judges.budget_usd_per_day))
        async with self._engine.begin() as connection:
            reservation = await budgets.reserve(connection, "judge", worst, cap_usd=cap, now=datetime.now(UTC))
        return (panels.spent or panels.free, None) if reservation is None else (panels.paid, reservation)

    async def _let_go(self, connection: AsyncConnection, sample: Sample, answers: Sequence[Answer]) -> None:
        clean = cleaner(self._settings.sampling.store_text)
        if clean is None:
            return
        await samples.replace_texts(
            connection,
            sample.request_id,
            request_body=clean(sample.request_body),
            prompt=clean(sample.prompt),
            completions={(a.tier, a.repeat): clean(a.completion) for a in answers if a.completion},
        )
