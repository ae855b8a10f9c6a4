"""What was answered is recorded exactly once, whoever is killed, hangs or is gone; and nobody is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from shadow.lab.audience import Audience
from shadow.lab.traffic import Traffic
from shadow.lab.world import World
from shadow.testing import Product

pytestmark = pytest.mark.slow

Ask = Callable[[str], list[tuple[Any, ...]]]
KILLS = 20


def traffic_to(product: Product, *, rate: float, model: str = "auto") -> Traffic:
    audience = Audience(world=World(1, items=200), rate=rate)
    return Traffic(audience, product.base_url, model=model, timeout_seconds=30)


def answered_ids(traffic: Traffic) -> set[str]:
    return {one.request_id for one in traffic.served if one.failure is None and one.request_id is not None}


async def assert_stored_once(product: Product, stored: Ask, ids: set[str]) -> None:
    def all_there() -> bool:
        return ids <= {str(row[0]) for row in stored("SELECT request_id FROM exchanges WHERE status = 'answered'")}

    await asyncio.to_thread(product.until, all_there, 90)
    assert stored("SELECT request_id FROM exchanges GROUP BY request_id HAVING count(*) > 1") == []


async def test_a_router_killed_twenty_times_under_traffic_loses_nothing_that_it_answered(
    product: Product, stored: Ask
) -> None:
    traffic = traffic_to(product, rate=60)
    flowing = asyncio.create_task(traffic.run())
    for _ in range(KILLS):
        before = len(answered_ids(traffic))
        async with asyncio.timeout(30):  # every life of the router answers somebody
            while len(answered_ids(traffic)) < before + 10:
                await asyncio.sleep(0.05)
        router = product.role("router")
        assert router is not None
        os.kill(router.pid, signal.SIGKILL)
    traffic.stop()
    await flowing
    ids = answered_ids(traffic)
    assert len(ids) >= KILLS * 10
    await assert_stored_once(product, stored, ids)


async def test_a_database_that_is_gone_for_a_while_costs_no_client_and_no_exchange(
    product: Product, stored: Ask
) -> None:
    traffic = traffic_to(product, rate=40)
    flowing = asyncio.create_task(traffic.run(12))
    await asyncio.sleep(2)
    database = product.database()
    assert len(database) > 1
    for process in database:
        process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(5)
    for process in database:
        process.send_signal(signal.SIGCONT)
    database[0].kill()  # and then it dies for good: the supervisor starts it again
    statistics = await flowing
    assert statistics.failures == {}
    ids = answered_ids(traffic)
    assert len(ids) == statistics.sent > 300
    await assert_stored_once(product, stored, ids)


@pytest.mark.parametrize("mode", ["down", "hang"])
async def test_a_mirror_provider_that_is_down_or_hangs_costs_no_client(
    product: Product, stored: Ask, mode: str
) -> None:
    """Clients are pinned to the cheap tier here, so that the frontier model is asked by mirrors only."""
    product.set_faults({"lab-frontier-2026-05": {"mode": mode, "seconds": 60}})
    traffic = traffic_to(product, rate=60, model="fast")
    statistics = await traffic.run(8)
    assert statistics.failures == {}
    ids = answered_ids(traffic)
    assert len(ids) == statistics.sent > 300
    await assert_stored_once(product, stored, ids)
    waiting = stored("SELECT count(*) FROM samples WHERE state IN ('sampled', 'failed') AND counts_for_accuracy")
    assert waiting[0][0] > 3, "what could not be mirrored is still in the funnel"


def test_mirrors_and_judges_run_only_while_no_client_wants_the_processor(product: Product) -> None:
    policies = {}
    for role in ("router", "intake", "scheduler", "worker"):
        process = product.role(role)
        assert process is not None
        # In one session: between sessions Linux may share the processor without looking at any of this.
        assert os.getsid(process.pid) == os.getsid(product.process.pid)
        assert os.getpgid(process.pid) == process.pid, "Ctrl-C is for the supervisor"
        product.until(lambda p=process, r=role: r == "router" or os.sched_getscheduler(p.pid) != os.SCHED_OTHER)
        policies[role] = (os.sched_getscheduler(process.pid), process.nice())
    assert policies == {
        "router": (os.SCHED_OTHER, os.nice(0)),
        "intake": (os.SCHED_BATCH, max(5, os.nice(0))),
        "scheduler": (os.SCHED_BATCH, max(5, os.nice(0))),
        "worker": (os.SCHED_IDLE, 19),
    }


def test_killing_the_supervisor_leaves_nobody_behind(product: Product) -> None:
    family = psutil.Process(product.process.pid).children(recursive=True) + product.database()
    assert len(family) > 8
    product.process.kill()
    product.process.wait()
    deadline = time.monotonic() + 20
    while True:
        alive = [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        if not alive:
            break
        assert time.monotonic() < deadline, alive
        time.sleep(0.05)
