"""What runs on a schedule, and how often? The table of jobs, nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shadow import rollup
from shadow.access.audit_heads import note_head
from shadow.alarms import service as alarms
from shadow.canaries.service import ask_for_canaries
from shadow.challenger import service as challenger
from shadow.gold.schedule import ask_for_gold
from shadow.money.price_log import log_prices
from shadow.notifying import delivery
from shadow.pins import checking as pins
from shadow.regressions import schedule as regressions
from shadow.retention import run_retention
from shadow.sampling.plan import plan_tomorrow
from shadow.settings import Settings
from shadow.store.engine import AsyncEngine
from shadow.streams import watch
from shadow.tuning import service as tuning
from shadow.upgrades import advance


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job of the leader. It must be idempotent: a new leader may run it again at once."""

    name: str
    every_seconds: float
    run: Callable[[AsyncEngine, Settings], Awaitable[None]]


def jobs(settings: Settings) -> tuple[Job, ...]:
    trained_anew = (Job(name="challenger", every_seconds=challenger.CHECK_SECONDS, run=challenger.run),)
    reports = (Job(name="regressions", every_seconds=regressions.CHECK_SECONDS, run=regressions.run),)
    every_seconds = (settings.pins.canary.every_minutes or 1.0) * 60
    canary = (Job(name="canaries", every_seconds=min(60.0, every_seconds / 10), run=ask_for_canaries),)
    return (
        Job(name="rollup", every_seconds=settings.rollup.every_seconds, run=rollup.compute_and_publish),
        Job(name="alarms", every_seconds=settings.rollup.every_seconds, run=alarms.run),
        Job(name="streams", every_seconds=settings.rollup.every_seconds, run=watch.run),
        Job(name="pins", every_seconds=settings.rollup.every_seconds, run=pins.run),
        Job(name="sampling plan", every_seconds=3600, run=plan_tomorrow),
        Job(name="tuning", every_seconds=settings.tuning.every_hours * 3600, run=tuning.run),
        Job(name="prices", every_seconds=3600, run=log_prices),
        Job(name="gold", every_seconds=3600, run=ask_for_gold),
        Job(name="notifications", every_seconds=settings.alerts.send_every_seconds, run=delivery.run),
        Job(name="upgrades", every_seconds=settings.upgrades.every_seconds, run=advance.run),
        Job(name="partitions", every_seconds=6 * 3600, run=rollup.prepare_partitions),
        Job(name="retention", every_seconds=settings.retention.every_seconds, run=run_retention),
        *(reports if settings.alerts.weekly.cron is not None else ()),
        Job(name="audit head", every_seconds=300, run=note_head),
        *(canary if settings.pins.canary.every_minutes is not None else ()),
        *(trained_anew if settings.challenger.every_hours is not None else ()),
    )
