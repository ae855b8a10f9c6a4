"""When is a model asked its canaries, and what follows from the answers? A run per interval and model, within a budget.

The first runs of a model are frozen; each later one is held against them (`shadow.statistics.behaviour`). A change opens an
alert that names the prompts. It closes by itself where a later run is as at first, and where somebody accepts the new behaviour:
then first runs are made anew. What the provider reports of itself is noted with every run, so that another model id or build is
seen within one interval even where no client asks for the model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal

import procrastinate
import structlog

from router.settings import ModelSettings
from shadow.canaries.asking import Asker, Heard, worst_case_usd
from shadow.canaries.prompts import Canaries, canaries_of
from shadow.pins import checking as pins
from shadow.settings import Settings
from shadow.statistics.behaviour import AspectLook, Behaviour, level_of, look
from shadow.store import alerts, budgets, canaries, tier_pins
from shadow.store.canaries import CanaryAnswer, State
from shadow.store.engine import AsyncConnection, AsyncEngine, utc_now
from shadow.store.model_reports import note_sightings
from shadow.task_queue import CANARY, MIRROR, queue_app
from shadow.upgrades.pins import chains, price_of

log = structlog.get_logger()

UNHEARD = "canary_unheard"
UNHEARD_RUNS = 3
QUARTER_MINUTES = 90 * 24 * 60
_AT_ONCE = 4
#: A model is asked again after this share of the interval or more: schedules are never exact.
_DUE = 0.9


async def ask_for_canaries(engine: AsyncEngine, settings: Settings) -> None:
    """Queue a run for every model that is due, unless one waits already. The scheduler's part.

    Raises: ConfigError where the prompts can't be read: the job fails, which is told, and not run after run at a worker.
    """
    canaries_of(settings)
    async with engine.begin() as connection:
        await canaries.prune(connection, now=utc_now())
        due = [model for model in await watched(connection, settings) if await _is_due(connection, settings, model)]
    if not due:
        return
    app = queue_app(engine.url.render_as_string(hide_password=False))
    async with app.open_async():
        for model in due:
            lock = f"{CANARY} {model.provider}/{model.model}"
            task = app.configure_task(CANARY, queue=MIRROR, queueing_lock=lock, lock=lock, priority=-1)
            try:
                await task.defer_async(provider=model.provider, model=model.model)
            except procrastinate.exceptions.AlreadyEnqueued:
                log.info("canary.waiting", provider=model.provider, model=model.model)


async def watched(connection: AsyncConnection, settings: Settings) -> list[ModelSettings]:
    """Every pinned model once: of each tier's chain, as configured or as promoted."""
    promoted = chains(settings, await tier_pins.in_force(connection))
    found: dict[tuple[str, str], ModelSettings] = {}
    for tier in settings.tiers:
        for model in promoted.get(tier.name, tier.models):
            found.setdefault((model.provider, model.model), model)
    return list(found.values())


async def _is_due(connection: AsyncConnection, settings: Settings, model: ModelSettings) -> bool:
    every = settings.pins.canary.every_minutes
    last = await canaries.last_run_at(connection, model.provider, model.model)
    return every is not None and (last is None or utc_now() - last >= timedelta(minutes=every * _DUE))


class CanaryRuns:
    """The worker's part."""

    def __init__(self, settings: Settings, engine: AsyncEngine, asker: Asker) -> None:
        self._settings = settings
        self._engine = engine
        self._asker = asker

    def register(self, app: procrastinate.App) -> None:
        @app.task(name=CANARY, queue=MIRROR)
        async def ask_canaries(provider: str, model: str) -> None:
            await self.run(provider, model)

    async def run(self, provider: str, model: str) -> State | None:
        """Ask a model all canaries if it is due; what became of it, None where it is not due or no longer pinned."""
        asked = canaries_of(self._settings)
        async with self._engine.connect() as connection:
            models = await watched(connection, self._settings)
            entry = next((one for one in models if (one.provider, one.model) == (provider, model)), None)
            if entry is None or not await _is_due(connection, self._settings, entry):
                return None
        heard = await self._ask_all(entry, asked)
        now = utc_now()
        async with self._engine.begin() as connection:
            await canaries.lock_model(connection, provider, model)
            state = await store_run(connection, self._settings, entry, asked, heard, models=len(models), now=now)
        log.info("canary.asked", provider=provider, model=model, state=state)
        return state

    async def _ask_all(self, model: ModelSettings, asked: Canaries) -> list[Heard] | None:
        """The answers to all prompts; None where today's money does not allow it."""
        price = price_of(self._settings, model)
        worst = sum((worst_case_usd(price, canary) for canary in asked.prompts), Decimal(0))
        cap = Decimal(str(self._settings.pins.canary.budget_usd_per_day))
        async with self._engine.begin() as connection:
            reservation = await budgets.reserve(connection, "canary", worst, cap_usd=cap, now=utc_now())
        if reservation is None:
            return None
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def ask(place: int) -> Heard:
            async with at_once:
                return await self._asker.ask(model, price, asked.prompts[place])

        heard = await asyncio.gather(*(ask(place) for place in range(len(asked.prompts))))
        async with self._engine.begin() as connection:
            await budgets.settle(connection, reservation, sum((one.cost_usd for one in heard), Decimal(0)))
        return list(heard)


async def store_run(
    connection: AsyncConnection,
    settings: Settings,
    model: ModelSettings,
    asked: Canaries,
    heard: Sequence[Heard] | None,
    *,
    models: int,
    now: datetime,
) -> State:
    """Store a run, hold it against the first ones, and report what follows. heard: None where there was no money."""
    name = model.provider, model.model
    answers = [one.answer for one in heard or ()]
    await note_sightings(connection, [one.sighting for one in heard or () if one.sighting is not None])
    await pins.look(connection, now=now)
    await _take_closed_as_accepted(connection, *name, now=now)
    first = await canaries.first_answers(connection, *name, asked.version)
    looks: list[AspectLook] = []
    state: State = "compared"
    if heard is None:
        state = "shed"
    elif 2 * sum(answer.outcome == "ok" for answer in answers) < len(answers):
        state = "failed"
    elif len(first) < settings.pins.canary.baseline_runs:
        state = "first"
    else:
        looks = look(_by_prompt(first), _behaviours(answers), level=_level(settings, models))
    changed = any(one.has_changed for one in looks)
    run_id = await canaries.save_run(
        connection,
        *name,
        asked.version,
        state=state,
        ran_at=now,
        cost_usd=sum((one.cost_usd for one in heard or ()), Decimal(0)),
        answers=answers,
        looks=[asdict(one) for one in looks],
        changed=changed,
    )
    if state == "compared":
        await _report(connection, model, looks, run_id, now=now)
    await _report_silence(connection, model, now=now)
    return state


async def _take_closed_as_accepted(connection: AsyncConnection, provider: str, model: str, *, now: datetime) -> None:
    """An alert that a person closed says that the new behaviour is fine."""
    since = await canaries.counts_since(connection, provider, model)
    for alert in await alerts.last_alerts(connection, is_open=False, kind=pins.BEHAVES, limit=200):
        by_hand = alert.closed_by is not None and alert.closed_at is not None and alert.closed_at > since
        if alert.key == f"{provider}/{model}" and by_hand:
            await canaries.accept(connection, provider, model, by=alert.closed_by or "", now=now)
            return


async def _report(
    connection: AsyncConnection, model: ModelSettings, looks: Sequence[AspectLook], run_id: int, *, now: datetime
) -> None:
    key = f"{model.provider}/{model.model}"
    found = [one for one in looks if one.has_changed]
    if found:
        prompts = sorted({prompt for one in found for prompt in one.changed})
        aspects = ", ".join(one.aspect for one in found)
        named = ", ".join(prompts[:8]) + (f" and {len(prompts) - 8} more" if len(prompts) > 8 else "")
        await alerts.open_alert(
            connection,
            kind=pins.BEHAVES,
            key=key,
            severity="critical",
            message=f"{key} behaves otherwise than at first under an unchanged name ({aspects}): {len(prompts)} of"
            f" {max(one.compared for one in found)} canary prompts, {named}",
            details={
                "provider": model.provider,
                "model": model.model,
                "run": run_id,
                "prompts": prompts,
                "looks": [asdict(one) for one in found],
            },
            now=now,
        )
    elif all(one.p > 0.05 for one in looks):
        await alerts.close_alerts(connection, pins.BEHAVES, [key], now=now)


async def _report_silence(connection: AsyncConnection, model: ModelSettings, *, now: datetime) -> None:
    """A model that is not heard, run after run, is not watched: somebody should know."""
    runs = [
        run
        for run in await canaries.last_runs(connection, each=UNHEARD_RUNS)
        if (run.provider, run.model) == (model.provider, model.model)
    ]
    key = f"{model.provider}/{model.model}"
    if len(runs) < UNHEARD_RUNS or any(run.state not in ("failed", "shed") for run in runs):
        await alerts.close_alerts(connection, UNHEARD, [key], now=now)
        return
    why = "the day's budget is spent" if runs[0].state == "shed" else f"{runs[0].answered} prompts were answered"
    await alerts.open_alert(
        connection,
        kind=UNHEARD,
        key=key,
        severity="warning",
        message=f"{key}: the last {UNHEARD_RUNS} canary runs tell nothing ({why}), so another behaviour would not be noticed",
        details={"provider": model.provider, "model": model.model, "states": [run.state for run in runs]},
        now=now,
    )


def _level(settings: Settings, models: int) -> float:
    every = settings.pins.canary.every_minutes or QUARTER_MINUTES
    return level_of(settings.pins.canary.alpha, looks=max(1.0, QUARTER_MINUTES / every), models=max(1, models))


def _by_prompt(runs: Mapping[int, Sequence[CanaryAnswer]]) -> dict[str, list[Behaviour]]:
    found: dict[str, list[Behaviour]] = {}
    for answers in runs.values():
        for prompt, behaviour in _behaviours(answers).items():
            found.setdefault(prompt, []).append(behaviour)
    return found


def _behaviours(answers: Sequence[CanaryAnswer]) -> dict[str, Behaviour]:
    """By prompt. A failure to answer is no behaviour."""
    return {
        one.prompt_id: Behaviour(
            answer=one.answer, length=len(one.answer), refused=one.refused, log_probability=one.log_probability
        )
        for one in answers
        if one.outcome == "ok" and one.answer is not None
    }
