"""Whatever providers and clients do, in whatever order: does every request end in exactly one exchange, and in one clear end?"""

import asyncio
from collections import deque

import orjson
from hypothesis import given
from hypothesis import strategies as st

from router.errors import UpstreamFailed
from router.testing.configured import router_settings
from router.testing.inprocess import Front
from router.testing.instant import run_instantly
from router.testing.upstream import ScriptedReply, ScriptedUpstream, busy, complaint

MODELS = ("fast-a", "fast-b", "top-a")
KINDS = ("connect", "reset", "timeout", "first_token", "cut", "bad_body")
PIECES = (
    b'data: {"choices":[{"index":0,"delta":{"content":"Pa"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}\n\n',
    b"data: [DONE]\n\n",
    b": comment\n\n",
    b'data: {"error":{"message":"overloaded"}}\n\n',
    b"data: {nonsense}\n\n",
    b'data: {"choi',
    b"\xff\x00",
    None,
    UpstreamFailed("cut", http_status=200),
)
BODIES = (
    b'{"choices":[{"message":{"content":"Paris"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2}}',
    b'{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}',
    b'{"choices":[]}',
    b'{"error":{"message":"quota"}}',
    b"<html>",
    b"",
)
streams = st.builds(
    ScriptedReply,
    content_type=st.sampled_from(["text/event-stream", "text/plain", "text/html", ""]),
    chunks=st.lists(st.sampled_from(PIECES), max_size=6),
)
bodies = st.builds(ScriptedReply, chunks=st.lists(st.sampled_from(BODIES), min_size=1, max_size=1))
statuses = st.builds(
    busy, st.sampled_from([302, 401, 403, 404, 429, 500, 503]), st.sampled_from([None, 0.0, 0.4, 3.0, 90.0])
)
complaints = st.sampled_from(
    [
        complaint("maximum context length"),
        complaint("x", code="content_filter"),
        complaint("prefill"),
        complaint("stream_options"),
        complaint("bad"),
        complaint("flagged by moderation", http_status=403),
    ]
)
entries = st.one_of(
    st.none(), st.just("Paris."), st.just('{"city":"Paris"}'), st.just(""), st.sampled_from(KINDS).map(UpstreamFailed),
    streams, bodies, statuses, complaints,
)  # fmt: skip
requests = st.lists(
    st.fixed_dictionaries(
        {
            "model": st.sampled_from(["auto", "fast", "fast-b", "top"]),
            "hold": st.sampled_from([None, True, False]),
            "leaves_after_seconds": st.sampled_from([None, None, 0.0, 0.05, 0.5, 1.5]),
            "fields": st.fixed_dictionaries(
                {"stream": st.booleans(), "temperature": st.sampled_from([0, 1])},
                optional={"response_format": st.just({"type": "json_object"}), "max_tokens": st.just(5)},
            ),
        }
    ),
    min_size=1,
    max_size=5,
)
routings = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["route", "observe"]),
        "hold": st.sampled_from(["off", "full"]),
        "coalesce": st.booleans(),
        "cascade": st.just({"causes": ["schema", "empty", "truncated", "refusal"]}),
        "breaker": st.just({"failures": 2, "tier_failures": 1, "cooldown_seconds": 0.5}),
        "deadline_seconds": st.sampled_from([2.0, 10.0]),
    }
)


@given(
    scripts=st.fixed_dictionaries({model: st.lists(entries, max_size=6) for model in MODELS}),
    asked=requests,
    routing=routings,
    places=st.sampled_from([None, 1, 2]),
)
def test_every_request_ends_in_exactly_one_exchange_and_in_one_clear_end(scripts, asked, routing, places):
    upstream = ScriptedUpstream()
    for model, script in scripts.items():
        upstream.scripts[model] = deque(script)
    found = router_settings("http://provider.test/v1", routing=routing)
    limited = {"max_concurrency": places, "max_wait_seconds": 0.2, "max_waiting": 2}
    found = found.model_copy(update={"tiers": tuple(tier.model_copy(update=limited) for tier in found.tiers)})

    async def main():
        front = Front(found, upstream)
        answers = await asyncio.gather(*(front.ask(request_id=f"r{n}", **one) for n, one in enumerate(asked)))
        assert len(asyncio.all_tasks()) == 1  # nothing is left running
        assert sorted(exchange.request_id for exchange in front.exchanges) == [f"r{n}" for n in range(len(asked))]
        exchanges = {exchange.request_id: exchange for exchange in front.exchanges}
        for n, (one, answer) in enumerate(zip(asked, answers, strict=True)):
            exchange = exchanges[f"r{n}"]
            assert exchange.cost_usd == sum(attempt.cost_usd for attempt in exchange.attempts)
            assert (
                len(exchange.attempts) <= 3 * 4
            )  # three models, a retry, a connection tried again, and usage left out
            if exchange.status == "cancelled":
                assert one["leaves_after_seconds"] is not None
                continue
            assert answer.whole
            assert answer.seconds <= routing["deadline_seconds"] + 6 * 1.0
            check(exchange, answer, streamed=one["fields"]["stream"])
        # All places are free again, and nobody is kept from asking once the providers are well.
        upstream.scripts.clear()
        await asyncio.sleep(4000)
        again = await asyncio.gather(*(front.ask(request_id=f"a{n}") for n in range(2)))
        assert [answer.status for answer in again] == [200, 200]

    run_instantly(main)


def check(exchange, answer, *, streamed):
    """Does the client see what is recorded?"""
    if answer.status != 200:
        assert exchange.status == "failed"
        assert exchange.http_status == answer.status
        assert answer.json()["error"]["message"]
        assert b"internal" not in answer.body
    elif not streamed:
        assert exchange.status == "answered"
        assert isinstance(answer.json()["choices"], list)
    else:
        last = answer.body.rstrip().rpartition(b"\n")[2]
        if exchange.status == "answered":
            assert last == b"data: [DONE]"
        else:
            assert orjson.loads(last.removeprefix(b"data: "))["error"]["message"]
            assert b"[DONE]" not in answer.body
