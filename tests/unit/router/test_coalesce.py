"""Do identical requests share one call, and does nobody lose or pay for what another one does?"""

import asyncio

import pytest

from router.testing.configured import router_settings
from router.testing.inprocess import Front
from router.testing.instant import run_instantly
from router.testing.upstream import ScriptedUpstream, busy

COLD = {"temperature": 0}


def front(upstream, **routing):
    return Front(
        router_settings("http://provider.test/v1", provider={"max_retries": 0}, routing={"coalesce": True, **routing}),
        upstream,
    )


def crowd(found, size, **more):
    return [
        asyncio.create_task(found.ask(request_id=f"r{number}", **{"fields": COLD, **more})) for number in range(size)
    ]


def payers(found):
    return [exchange.request_id for exchange in found.exchanges if exchange.cost_usd > 0]


def test_one_call_answers_all_and_one_of_them_pays():
    upstream = ScriptedUpstream()

    async def main():
        upstream.gate = asyncio.Event()
        found = front(upstream)
        tasks = crowd(found, 5)
        await asyncio.sleep(0.01)
        upstream.gate.set()
        answers = await asyncio.gather(*tasks)
        assert {answer.body for answer in answers} == {answers[0].body}
        assert len(found.exchanges) == 5
        [payer] = payers(found)
        for exchange in found.exchanges:
            assert (exchange.status, exchange.served_tier, exchange.completion_tokens) == ("answered", "fast", 5)
            shared = exchange.request_id != payer
            assert exchange.extra.get("coalesced_with") == (payer if shared else None)
            assert len(exchange.attempts) == (0 if shared else 1)
        costs = sorted(float(answer.headers["x-shadow-cost-usd"]) for answer in answers)
        assert costs[:4] == [0.0] * 4
        # Nothing is remembered: the next one asks again.
        await found.ask(request_id="late", fields=COLD)
        assert len(upstream.asked) == 2

    run_instantly(main)


@pytest.mark.parametrize("leavers", [[0], [2], [0, 1]])
def test_who_leaves_takes_nobody_with_him(leavers):
    upstream = ScriptedUpstream()

    async def main():
        upstream.gate = asyncio.Event()
        found = front(upstream)
        tasks = [
            asyncio.create_task(
                found.ask(request_id=f"r{n}", fields=COLD, leaves_after_seconds=0.3 if n in leavers else None)
            )
            for n in range(3)
        ]
        await asyncio.sleep(0.6)
        upstream.gate.set()
        answers = await asyncio.gather(*tasks)
        assert [answer.status for answer in answers] == [0 if n in leavers else 200 for n in range(3)]
        assert upstream.asked == ["fast-a"]
        assert upstream.cancelled == 0
        statuses = {exchange.request_id: exchange.status for exchange in found.exchanges}
        assert statuses == {f"r{n}": "cancelled" if n in leavers else "answered" for n in range(3)}
        [payer] = payers(found)
        assert statuses[payer] == "answered"

    run_instantly(main)


def test_when_all_have_left_the_call_ends_too_and_is_recorded_once():
    upstream = ScriptedUpstream(always={"fast-a": None})

    async def main():
        found = front(upstream)
        await asyncio.gather(*crowd(found, 3, leaves_after_seconds=0.5))
        assert upstream.cancelled == 1
        assert [exchange.status for exchange in found.exchanges] == ["cancelled"] * 3
        assert sorted(len(exchange.attempts) for exchange in found.exchanges) == [0, 0, 1]

    run_instantly(main)


def test_all_get_the_same_error():
    upstream = ScriptedUpstream(always=dict.fromkeys(["fast-a", "fast-b", "top-a"], busy(500)))

    async def main():
        upstream.gate = asyncio.Event()
        found = front(upstream)
        tasks = crowd(found, 3)
        await asyncio.sleep(0.01)
        upstream.gate.set()
        assert [answer.status for answer in await asyncio.gather(*tasks)] == [502] * 3
        assert len(upstream.asked) == 3
        assert sorted(len(exchange.attempts) for exchange in found.exchanges) == [0, 0, 3]

    run_instantly(main)


@pytest.mark.parametrize(
    ("routing", "first", "second"),
    [
        ({}, {"fields": {"temperature": 0.1}}, {"fields": {"temperature": 0.1}}),
        ({}, {"fields": {}}, {"fields": {}}),
        ({}, {"fields": {"temperature": False}}, {"fields": {"temperature": False}}),
        ({}, {"fields": {**COLD, "stream": True}}, {"fields": {**COLD, "stream": True}}),
        ({}, {"fields": {**COLD, "stream": True}, "hold": True}, {"fields": {**COLD, "stream": True}, "hold": True}),
        ({}, {"fields": COLD}, {"fields": {**COLD, "seed": 1}}),
        ({}, {"fields": COLD, "key_id": "a"}, {"fields": COLD, "key_id": "b"}),
        ({}, {"fields": COLD, "model": "fast"}, {"fields": COLD, "model": "auto"}),
        ({"coalesce": False}, {"fields": COLD}, {"fields": COLD}),
    ],
)
def test_what_is_not_identical_cold_and_whole_is_not_shared(routing, first, second):
    upstream = ScriptedUpstream()

    async def main():
        upstream.gate = asyncio.Event()
        found = front(upstream, **routing)
        tasks = [asyncio.create_task(found.ask(request_id=str(n), **one)) for n, one in enumerate((first, second))]
        await asyncio.sleep(0.01)
        upstream.gate.set()
        assert [answer.status for answer in await asyncio.gather(*tasks)] == [200, 200]
        assert len(upstream.asked) == 2
        assert len(payers(found)) == 2

    run_instantly(main)
