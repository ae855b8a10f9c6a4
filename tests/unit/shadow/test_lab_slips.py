"""Does a model of the lab get worse where it is told to, and nowhere else?"""

from __future__ import annotations

import httpx
import pytest

from shadow.lab.provider import Provider
from shadow.lab.world import World


async def test_right_answers_of_one_kind_turn_wrong() -> None:
    world = World(seed=3, items=60)
    provider = Provider(world, latency_scale=0.0)
    model = world.tiers[-1].model
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=provider), base_url="http://lab") as client:

        async def share_right(kind: str) -> float:
            asked = [task for task in world.items if task.kind == kind] * 3
            right = []
            for task in asked:
                body = {"model": model, "messages": list(task.messages)}
                answer = (await client.post("/v1/chat/completions", json=body)).json()
                right.append(bool(task.check(answer["choices"][0]["message"]["content"])))
            return sum(right) / len(right)

        assert await share_right("classification") > 0.8
        told = await client.post("/lab/slips", json={model: {"classification": 1.0}})
        assert told.status_code == 200
        assert await share_right("classification") == 0.0
        assert await share_right("extraction") > 0.7
        assert (await client.post("/lab/slips", json={})).status_code == 200
        assert await share_right("classification") > 0.8


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"nobody": {}},
        {"lab-fast-2026-05": 1},
        {"lab-fast-2026-05": {"poems": 0.1}},
        {"lab-fast-2026-05": {"short_qa": 2}},
    ],
)
async def test_what_cannot_be_is_refused(body: object) -> None:
    provider = Provider(World(seed=3, items=12), latency_scale=0.0)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=provider), base_url="http://lab") as client:
        assert (await client.post("/lab/slips", json=body)).status_code == 400
