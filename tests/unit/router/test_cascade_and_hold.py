"""Does a flawed answer climb, does a held one survive a fault in its middle, and is every answer paid for?"""

import asyncio

import orjson
import pytest

from router.errors import UpstreamFailed
from router.testing.completions import FINGERPRINT, Seen, chunks, usage
from router.testing.configured import router_settings
from router.testing.inprocess import Front
from router.testing.instant import run_instantly
from router.testing.upstream import DONE, ScriptedReply, ScriptedUpstream, busy, complaint

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WANTS_SCHEMA = {"response_format": {"type": "json_schema", "json_schema": {"name": "c", "schema": SCHEMA}}}
GOOD = '{"city":"Paris"}'
MODES = pytest.mark.parametrize("held", [False, True], ids=["whole", "held"])


def settings(**more):
    tiers = {"fast": ["fast-a", "fast-b"], "mid": ["mid-a"], "top": ["top-a"]}
    return router_settings("http://provider.test/v1", **{"tiers": tiers, "provider": {"max_retries": 0}, **more})


def ask(upstream, *, held=False, fields=None, found=None, model="auto"):
    """(what the client got, its text, the exchange)"""

    async def main():
        front = Front(found or settings(), upstream)
        received = await front.ask(model=model, fields={**(fields or {}), "stream": held}, hold=held or None)
        [exchange] = front.exchanges
        return received, exchange

    received, exchange = run_instantly(main)
    text = said(received) if received.status == 200 else None
    return received, text, exchange


def said(received):
    if not received.headers["content-type"].startswith("text/event-stream"):
        return received.json()["choices"][0]["message"]["content"]
    *events, last, rest = received.body.split(b"\n\n")
    assert (last, rest) == (b"data: [DONE]", b"")
    deltas = [choice["delta"] for event in events for choice in orjson.loads(event[6:])["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def outcomes(exchange):
    return [(attempt.model, attempt.outcome) for attempt in exchange.attempts]


@MODES
def test_broken_json_climbs_until_it_is_whole_and_every_answer_is_paid_for(held):
    upstream = ScriptedUpstream(always={"fast-a": "Paris", "mid-a": '{"town":1}', "top-a": GOOD})
    received, text, exchange = ask(upstream, held=held, fields=WANTS_SCHEMA)
    assert (text, received.model) == (GOOD, "top-a")
    assert received.headers["x-shadow-validation"] == "passed"
    assert outcomes(exchange) == [("fast-a", "schema"), ("mid-a", "schema"), ("top-a", "ok")]
    assert all(attempt.cost_usd > 0 for attempt in exchange.attempts)
    assert exchange.cost_usd == sum(attempt.cost_usd for attempt in exchange.attempts)
    assert (exchange.reason, exchange.served_tier, exchange.status) == ("cascade", "top", "answered")
    assert exchange.extra["validation"] == "passed"
    assert exchange.extra["fingerprint"] == FINGERPRINT  # of the build that answered, streamed or not


@MODES
def test_if_nobody_does_better_the_best_answer_is_served_as_it_is_and_said_to_be_broken(held):
    upstream = ScriptedUpstream(always={"fast-a": '{"a":1}', "mid-a": '{"b":1}', "top-a": ""})
    received, text, exchange = ask(upstream, held=held, fields=WANTS_SCHEMA)
    assert (received.status, text, received.model) == (200, '{"b":1}', "mid-a")  # nothing at all is worse
    assert received.headers["x-shadow-validation"] == "failed"
    assert outcomes(exchange) == [("fast-a", "schema"), ("mid-a", "schema"), ("top-a", "empty")]
    assert (exchange.status, exchange.completion) == ("answered", '{"b":1}')
    assert (exchange.extra["validation"], exchange.extra["flaw"]) == ("failed", "schema")


@pytest.mark.parametrize(
    "above", [busy(500), complaint("no"), UpstreamFailed("timeout")], ids=["failing", "refusing", "silent"]
)
def test_a_flawed_answer_is_better_than_the_error_of_those_above(above):
    upstream = ScriptedUpstream(always={"fast-a": "Paris", "mid-a": above, "top-a": above})
    received, text, exchange = ask(upstream, fields=WANTS_SCHEMA)
    assert (received.status, text, received.headers["x-shadow-validation"]) == (200, "Paris", "failed")
    assert (exchange.served_tier, exchange.reason) == ("fast", None)


@pytest.mark.parametrize(("steps", "model"), [(0, "fast-a"), (1, "mid-a"), (2, "top-a")])
def test_no_more_steps_are_taken_than_allowed(steps, model):
    upstream = ScriptedUpstream(always=dict.fromkeys(["fast-a", "mid-a", "top-a"], "Paris"))
    received, _, exchange = ask(
        upstream, fields=WANTS_SCHEMA, found=settings(routing={"cascade": {"max_steps": steps}})
    )
    assert (received.model, len(exchange.attempts)) == (model, steps + 1)


@pytest.mark.parametrize("pin", ["fast", "fast-a"])
def test_a_pin_is_kept(pin):
    upstream = ScriptedUpstream(always={"fast-a": "Paris"})
    received, _, _ = ask(upstream, fields=WANTS_SCHEMA, model=pin)
    assert (received.model, upstream.asked) == ("fast-a", ["fast-a"])
    assert received.headers["x-shadow-validation"] == "failed"


def test_observing_changes_nothing():
    upstream = ScriptedUpstream(always={"fast-a": "Paris"})
    found = settings(routing={"mode": "observe", "observe_tier": "fast"})
    received, _, exchange = ask(upstream, fields=WANTS_SCHEMA, found=found)
    assert (received.model, upstream.asked) == ("fast-a", ["fast-a"])
    assert outcomes(exchange) == [("fast-a", "schema")]


@pytest.mark.parametrize(
    ("cause", "text", "finish"),
    [("empty", "", "stop"), ("truncated", "Par", "length"), ("refusal", "I can't help with that.", "stop")],
)
@pytest.mark.parametrize("wanted", [False, True])
def test_other_flaws_climb_where_the_configuration_names_them(cause, text, finish, wanted):
    body = {"model": "m", "choices": [{"index": 0, "message": {"content": text}, "finish_reason": finish}]}
    upstream = ScriptedUpstream(always={"fast-a": ScriptedReply(chunks=[orjson.dumps(body)])})
    causes = [cause] if wanted else ["schema"]
    received, _, exchange = ask(upstream, found=settings(routing={"cascade": {"causes": causes}}))
    assert (exchange.served_tier, len(exchange.attempts)) == (("mid", 2) if wanted else ("fast", 1))
    assert exchange.attempts[0].outcome == (cause if wanted else "ok")
    assert "x-shadow-validation" not in received.headers


def test_a_streamed_answer_that_is_not_held_is_never_asked_for_again():
    upstream = ScriptedUpstream(always={"fast-a": "Paris"})

    async def main():
        received = await Front(settings(), upstream).ask(fields={**WANTS_SCHEMA, "stream": True})
        assert said(received) == "Paris"
        assert "x-shadow-validation" not in received.headers

    run_instantly(main)
    assert upstream.asked == ["fast-a"]


def two_words(then):
    seen = Seen(headers={}, body=b"", fields={"model": "fast-a"})
    begun = [b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks(seen, "Paris is the capital", usage())[:3]]
    return ScriptedReply(content_type="text/event-stream", chunks=[*begun, *then])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (two_words([UpstreamFailed("cut")]), "cut"),
        (two_words([]), "cut"),
        (two_words([None]), "idle"),
        (two_words([b"data: {\n\n"]), "bad_body"),
        (two_words([b'data: {"error": {"message": "overloaded"}}\n\n']), "error_event"),
    ],
    ids=["cut", "no-done", "stall", "malformed", "error"],
)
def test_a_held_stream_is_rescued_from_a_fault_in_its_middle(fault, kind):
    upstream = ScriptedUpstream(always={"fast-a": fault})
    received, text, exchange = ask(upstream, held=True)
    assert (text, received.model) == ("Paris.", "fast-b")
    assert outcomes(exchange) == [("fast-a", kind), ("fast-b", "ok")]
    assert exchange.attempts[0].completion_tokens > 0  # what was said before the fault is billed
    assert (exchange.streamed, exchange.extra["hold"]) == (True, "full")
    assert exchange.first_token_seconds == pytest.approx(exchange.latency_seconds)


@pytest.mark.parametrize("wanted", [False, True])
def test_a_held_stream_ends_in_usage_only_if_the_client_asked_for_it(wanted):
    upstream = ScriptedUpstream()
    fields = {"stream_options": {"include_usage": True}} if wanted else {}
    received, _, exchange = ask(upstream, held=True, fields=fields)
    assert (b'"usage"' in received.body) is wanted
    assert exchange.prompt_tokens == 10  # known to us in either case
    assert float(received.headers["x-shadow-cost-usd"]) == float(exchange.cost_usd)  # no estimate: it is complete


@pytest.mark.parametrize("hold", ["full", "off"])
@pytest.mark.parametrize("told", [None, True, False])
def test_the_request_decides_about_holding_and_else_the_configuration(hold, told):
    upstream = ScriptedUpstream()

    async def main():
        front = Front(settings(routing={"hold": hold}), upstream)
        await front.ask(fields={"stream": True}, hold=told)
        await front.ask(fields={"stream": False}, hold=told)
        assert ["hold" in exchange.extra for exchange in front.exchanges] == [
            hold == "full" if told is None else told,
            False,
        ]

    run_instantly(main)


def test_a_held_stream_that_trickles_for_ever_ends_at_the_deadline():
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'

    class Trickle(ScriptedReply):
        async def chunk(self, within_seconds):
            await asyncio.sleep(0.5)
            return chunk

    upstream = ScriptedUpstream(always=dict.fromkeys(["fast-a"], Trickle(content_type="text/event-stream")))
    received, _, exchange = ask(upstream, held=True, found=settings(routing={"deadline_seconds": 20}))
    assert (received.status, exchange.error_kind) == (504, "timeout")
    assert received.seconds == pytest.approx(20)
    assert exchange.cost_usd > 0


def test_a_stream_that_was_finished_needs_no_farewell_and_the_client_gets_one():
    seen = Seen(headers={}, body=b"", fields={"model": "fast-a", "n": 2})
    events = [b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks(seen, "Paris", usage())]

    async def stream(upstream):
        return await Front(settings(), upstream).ask(fields={"stream": True})

    whole = ScriptedReply(content_type="text/event-stream", chunks=events)
    received = run_instantly(lambda: stream(ScriptedUpstream(always={"fast-a": whole})))
    assert received.body == b"".join([*events, DONE])
    one_open = ScriptedReply(content_type="text/event-stream", chunks=events[:-1])  # the second choice has not ended
    received = run_instantly(lambda: stream(ScriptedUpstream(always={"fast-a": one_open})))
    assert b'"code":"cut"' in received.body
    assert b"[DONE]" not in received.body
