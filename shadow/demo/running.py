"""What does a newcomer watch? The whole product at work on a world whose truth is known, for a minute or until Ctrl-C.

Real parts throughout: router, intake, worker, scheduler and PostgreSQL as in production, traffic over HTTP from real clients.
Only the providers are simulated (or, on request, one is a real small model), so that estimates can be held against the truth.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from router.serve import spool_directory
from shadow import rollup
from shadow.demo.files import fresh_directory
from shadow.intake.segments import backlog
from shadow.lab.audience import Audience
from shadow.lab.config import LocalEndpoint, demo_config, demo_yaml
from shadow.lab.local import LocalModel
from shadow.lab.processes import start_child
from shadow.lab.reviewer import SimulatedReviewer
from shadow.lab.reviewing import check_on_gold, label_waiting
from shadow.lab.served import Served, TrafficStatistics
from shadow.lab.traffic import Traffic
from shadow.lab.world import World
from shadow.process import pause
from shadow.reports.window import Report, build_report
from shadow.settings import Settings, load
from shadow.store.engine import AsyncEngine, engine_for, utc_now
from shadow.supervisor import Supervisor

ROLES = ("router", "intake", "worker", "scheduler")
DRAIN_SECONDS = 90.0
#: Requests a second; a real model on one core answers about one.
SIMULATED_RATE, LOCAL_RATE = 45.0, 0.8
GOLD_CHECKS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run. seconds: 0 runs until stopped. local: a GGUF file, "" for the packaged one, None for simulated models only."""

    seconds: float
    sampling: float
    scenario: str
    seed: int
    port: int
    control_port: int
    directory: Path
    local: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it. truth: share of right answers by tier, "" for all, as checked at the client."""

    traffic: TrafficStatistics
    report: Report
    strict_report: Report  # the same figures with 99.9 % intervals
    truth: Mapping[str, float]
    config: Path

    @property
    def succeeded(self) -> bool:
        """Every client was answered, and every tier's traffic was looked at."""
        return self.traffic.failed == 0 and self.traffic.answered > 0 and self.report.funnel["judged"] > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The running demo, for whoever shows it. waiting: samples still on their way after the traffic has ended."""

    settings: Settings
    traffic: Traffic
    engine: AsyncEngine
    since: datetime
    waiting: int | None = None

    async def report(self, level: float = 0.95) -> Report:
        return await build_report(
            self.engine,
            tiers=self.settings.tier_names,
            since=self.since,
            until=utc_now() + timedelta(minutes=1),
            level=level,
        )


async def run_demo(plan: Plan, stop: asyncio.Event, show: Callable[[Scene | str], None]) -> Result:
    """Run the demo. show: called with a line about what is being done, and with the scene whenever it is worth a look.

    Raises: ShadowError where something can't start; the message says what to do.
    """
    async with contextlib.AsyncExitStack() as stack:
        config, settings = prepare(plan, stack, show)
        show("starting the embedded PostgreSQL, the router, the intake, the worker and the scheduler")
        supervisor = await stack.enter_async_context(
            Supervisor(settings, config, roles=ROLES, log_dir=config.parent / "logs")
        )
        engine = engine_for(supervisor.database_url)
        stack.push_async_callback(engine.dispose)
        reviewer = SimulatedReviewer(seed=plan.seed)
        await check_on_gold(engine, reviewer, GOLD_CHECKS, seed=plan.seed)

        rate = SIMULATED_RATE if plan.local is None else LOCAL_RATE
        traffic = Traffic(
            Audience(world=World(seed=plan.seed), seed=plan.seed, rate=rate),
            f"http://{settings.server.host}:{settings.server.port}/v1",
            max_tokens=None if plan.local is None else 96,
        )
        scene = Scene(settings=settings, traffic=traffic, engine=engine, since=utc_now() - timedelta(minutes=1))
        show(f"traffic is flowing: {rate:g} requests a second, from real HTTP clients")
        # What ends the demo early: Ctrl-C, or a role that refuses to run.
        watch = asyncio.create_task(supervisor.wait(stop))
        flowing = asyncio.create_task(traffic.run(plan.seconds or None))
        playing = asyncio.create_task(_play(plan, settings, stop))
        while not flowing.done():
            await asyncio.wait({flowing, watch}, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                traffic.stop()
                await flowing
                watch.result()
            await label_waiting(engine, reviewer, _truths(traffic.served))
            show(scene)
        playing.cancel()
        show("draining: waiting until everything sampled is mirrored, judged and labelled")
        await _drain(scene, reviewer, spool_directory(settings.directory), show)
        result = Result(
            traffic=flowing.result(),
            report=await scene.report(),
            strict_report=await scene.report(level=0.999),
            truth=_truth_by_tier(traffic.served),
            config=config,
        )
        watch.cancel()
        return result


def prepare(
    plan: Plan,
    stack: contextlib.AsyncExitStack,
    show: Callable[[Scene | str], None],
    changes: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[Path, Settings]:
    """Start the providers and write the configuration that points at them. changes: by section, over those of the demo."""
    directory = fresh_directory(plan.directory)
    show(f"data and logs are kept in {directory}")
    local = None
    if plan.local is not None:
        show("starting a real small language model behind the fast tier")
        model = stack.enter_context(LocalModel(Path(plan.local) if plan.local else None))
        local = LocalEndpoint(base_url=model.base_url, model=model.model, context_tokens=model.context_tokens)
    show("starting the simulated providers")
    providers = start_child(["shadow.lab.provider", "--seed", str(plan.seed)])
    stack.callback(providers.stop)
    content = demo_config(
        provider_url=providers.base_url,
        data_dir=directory,
        port=plan.port,
        control_port=plan.control_port,
        sampling=plan.sampling,
        local=local,
    )
    for section, values in (changes or {}).items():
        content[section] = {**content.get(section, {}), **values}
    config = directory / "shadow.yaml"
    config.write_text(demo_yaml(content), encoding="utf-8")
    return config, load(config, environ={})


async def _play(plan: Plan, settings: Settings, stop: asyncio.Event) -> None:
    """The scenario: what goes wrong, and when. In `outage` the cheap tier's model is down for the middle third."""
    if plan.scenario != "outage":
        return
    model = settings.tiers[0].models[0]
    faults = settings.providers["lab"].base_url.removesuffix("/v1") + "/lab/faults"
    third = (plan.seconds or 60.0) / 3
    async with httpx.AsyncClient(trust_env=False) as client:
        await pause(stop, third)
        await client.post(faults, json={model.model: {"mode": "down"}})
        await pause(stop, third)
        await client.post(faults, json={model.model: {"mode": "none"}})


async def _drain(scene: Scene, reviewer: SimulatedReviewer, spool: Path, show: Callable[[Scene | str], None]) -> None:
    """Until nothing is on its way any more, or until it has taken too long; then what is missing is in the funnel."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        labelled = await label_waiting(scene.engine, reviewer, _truths(scene.traffic.served))
        await rollup.compute(scene.engine, scene.settings)
        report = await scene.report()
        waiting = report.funnel["waiting_for_mirror"] + report.funnel["waiting_for_judge"]
        segments, _ = backlog(spool)
        if waiting == segments == labelled == 0:
            return
        show(replace(scene, waiting=waiting))
        await asyncio.sleep(0.5)


def _truths(served: Sequence[Served]) -> dict[str, bool]:
    return {s.request_id: s.truth for s in served if s.request_id is not None and s.truth is not None}


def _truth_by_tier(served: Sequence[Served]) -> dict[str, float]:
    known: dict[str, list[bool]] = {}
    for one in served:
        if one.tier is not None and one.truth is not None:
            known.setdefault(one.tier, []).append(one.truth)
            known.setdefault("", []).append(one.truth)
    return {tier: sum(truths) / len(truths) for tier, truths in known.items()}
