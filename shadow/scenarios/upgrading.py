"""Where does the upgrade of a pinned model end when the candidate is better, like the pinned one, or worse?

All of it over HTTP: clients, providers, a reviewer who labels through the control API, and people who decide by command, each
with a token. Only the numbers are smaller than in production: a wider margin, a label on every pair, a canary of minutes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx

from shadow.lab.audience import Audience
from shadow.lab.candidates import CANDIDATES
from shadow.lab.config import demo_config
from shadow.lab.traffic import Traffic
from shadow.lab.world import World
from shadow.scenarios.outcome import Outcome
from shadow.scenarios.stage import Plan, Show, Stage, not_stopped, on_stage
from shadow.store import tier_pins, upgrades
from shadow.store.upgrades import UpgradeRow
from shadow.upgrades.bundle import sha256

EXPECTED = {"upgrade-better": "promoted", "upgrade-same": "ready", "upgrade-worse": "harmed"}
TIER = "mid"
RATE = 8.0
#: Until the verdict falls; until the canary is over.
VERDICT_SECONDS, CANARY_SECONDS = 130.0, 90.0
_EVIDENCE = (
    "verdict",
    "pairs",
    "not_worse",
    "harm",
    "difference",
    "slices",
    "cost_ratio",
    "latency_ratio",
    "markers",
    "worst_pairs",
)


async def run_upgrade(plan: Plan, stop: asyncio.Event, show: Show) -> Outcome:
    """Play one of the three scenarios. Raises: ShadowError where something can't start or is refused that should not be."""
    began, candidate = time.monotonic(), CANDIDATES[plan.scenario]
    async with on_stage(plan, stop, show, _config(plan), provider=["--candidates"]) as stage:
        await stage.start("worker", "scheduler")
        world = World(plan.seed)
        traffic = Traffic(
            Audience(world=world, seed=plan.seed, rate=RATE, high_impact_share=0.0, sdk_share=0.0), stage.router_url
        )
        async with _flowing(traffic), _reviewing(stage, world):
            price = f"{candidate.input_usd_per_mtok},{candidate.output_usd_per_mtok}"
            words = ("--tier", TIER, "--to", f"lab:{candidate.model}", "--price", price)
            made = await stage.must("mira", "upgrade", "propose", *words, "--reason", plan.scenario)
            number = int(made["upgrade"])
            show(
                f"mira proposes {candidate.model}: it answers the same requests as {stage.settings.tiers[1].models[0].model}"
            )
            row = await _settled(stage, number, {"proposed", "shadowing"}, VERDICT_SECONDS)
            show(f"upgrade {number} is {row.state}: {row.state_reason}")
            checks = await _decide(stage, row) if plan.scenario == "upgrade-better" and row.state == "ready" else {}
            row = await _settled(stage, number, {"approved", "canary"}, CANARY_SECONDS)
            not_stopped(stage)
        message = await stage.message(f"Upgrade {number} ", _WORDS.get(row.state, row.state))
        summary, complete = _summary(row)
        audit = await stage.audit()
        async with stage.engine.connect() as connection:
            pin = await tier_pins.in_force_of(connection, TIER)
        serves = pin.pinned["model"] if pin is not None and pin.pinned is not None else None
        return Outcome(
            scenario=plan.scenario,
            state=row.state,
            expected=EXPECTED[plan.scenario],
            evidence=summary,
            message=message,
            checks={
                **checks,
                "the evidence is complete and as it was hashed": complete,
                "the tier is served by the right model": (serves == candidate.model) is (row.state == "promoted"),
                "the message was delivered": message is not None,
                "the audit verifies": bool(audit["ok"]),
                "no request failed": traffic.statistics().failed == 0,
            },
            audit=audit,
            requests=traffic.statistics().answered,
            failed=traffic.statistics().failed,
            seconds=round(time.monotonic() - began, 1),
            config=str(stage.config),
        )


_WORDS = {"harmed": "stopped for harm", "rolled_back": "rolled back"}


async def _decide(stage: Stage, row: UpgradeRow) -> dict[str, bool]:
    """The proposer may not approve; somebody else does, and switches it."""
    number = str(row.id)
    (code, _, own), (early, _, _) = await asyncio.gather(
        stage.command("mira", "upgrade", "approve", number), stage.command("noa", "upgrade", "promote", number)
    )
    stage.show(f"mira can't approve it: {own}")
    await stage.must("noa", "upgrade", "approve", number, "--reason", "the evidence holds")
    stage.show("noa approves it, and switches a canary share")
    (again, _, _), _ = await asyncio.gather(
        stage.command("noa", "upgrade", "approve", number), stage.must("noa", "upgrade", "promote", number)
    )
    return {
        "the proposer could not approve": code != 0 and "somebody else has to approve" in own,
        "nobody could promote before the approval": early != 0,
        "nobody could approve twice": again != 0,
    }


async def _settled(stage: Stage, number: int, under_way: set[str], seconds: float) -> UpgradeRow:
    """The upgrade once it has left these states, or as it is when the time is over."""

    async def look() -> UpgradeRow | None:
        async with stage.engine.connect() as connection:
            row = await upgrades.by_id(connection, number)
        return row if row is not None and row.state not in under_way else None

    found = await stage.until(look, seconds=seconds)
    if found is not None:
        return found
    async with stage.engine.begin() as connection:
        return await upgrades.locked(connection, number)


@contextlib.asynccontextmanager
async def _flowing(traffic: Traffic) -> AsyncIterator[None]:
    flowing = asyncio.create_task(traffic.run())
    try:
        yield
    finally:
        traffic.stop()
        await flowing


@contextlib.asynccontextmanager
async def _reviewing(stage: Stage, world: World) -> AsyncIterator[None]:
    """A reviewer at the control API: both answers of each pair, blind, as the labelling page would show them."""
    headers = {"authorization": f"Bearer {stage.tokens['noa']}"}
    address = f"{stage.console_url}/api/v1"
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30.0, trust_env=False) as client:
        working = asyncio.create_task(_label(client, world))
        try:
            yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def _label(client: httpx.AsyncClient, world: World) -> None:
    while True:
        try:
            done = await _label_next(client, world)
        except httpx.HTTPError:  # a busy console: the same item comes again
            done = False
        if not done:
            await asyncio.sleep(0.5)


async def _label_next(client: httpx.AsyncClient, world: World) -> bool:
    """False where nothing waits."""
    following = await client.get("/labels/next")
    if following.status_code != 200:
        return False
    item = following.json()
    words = [
        {"which": answer["which"], "label": int(bool(world.truth(item["prompt"], answer["text"])))}
        for answer in item["answers"]
    ]
    await client.post(f"/labels/items/{item['item_id']}", json={"answers": words})
    return True


def _summary(row: UpgradeRow) -> tuple[dict[str, Any], bool]:
    """(what a person would look at first, whether the bundle is whole)."""
    if row.evidence is None:
        return {}, False
    content = json.loads(row.evidence)
    figures = content["figures"]
    whole = (
        all(figures.get(name) is not None for name in _EVIDENCE)
        and bool(content["versions"])
        and bool(content["window"])
    )
    summary = {
        "sha256": row.evidence_sha256,
        "pairs": figures["pairs"]["entered"],
        "labelled": figures["pairs"]["labelled"],
        "difference": figures["difference"],
        "p_not_worse": figures["not_worse"]["p_value"],
        "p_harm": figures["harm"]["p_value"],
        "cost_ratio": figures["cost_ratio"],
        "latency_ratio": figures["latency_ratio"],
        "worst_pairs": len(figures["worst_pairs"]),
        "approved_by": row.approved_by,
    }
    return summary, whole and sha256(row.evidence) == row.evidence_sha256


def _config(plan: Plan) -> Callable[[str, str, Path], dict[str, Any]]:
    def content(provider_url: str, webhook: str, data_dir: Path) -> dict[str, Any]:
        made = demo_config(
            provider_url=provider_url,
            data_dir=data_dir,
            port=plan.port,
            control_port=plan.control_port,
            sampling=0.01,
        )
        # Nearly all requests go to the tier that is upgraded.
        made["routing"] |= {"thresholds": {"fast": 1.0, "mid": 0.0}, "band": 0.0}
        made["sampling"] |= {"control_top": 0.02}
        made["sampling"]["concurrency"] = 16
        made["judges"] = {"panel": ["structured", "lexical"]}
        made["labels"] = {"rate": 0.0025, "top_rate": 0.01}
        made["auth"] = {"required": True}
        made["alerts"] = {"notify": [{"name": "webhook", "url": webhook, "min_severity": "info"}]}
        made["upgrades"] = {
            "rate": 0.5,
            "label_share": 1.0,
            "margin": 0.15,
            "budget_share": 1.0,
            "canary_share": 0.5,
            "canary_rate": 1.0,
            "canary_pairs": 40,
            "canary_hours": 0,
            "every_seconds": 2.0,
        }
        return made

    return content
