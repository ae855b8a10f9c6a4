"""Who is asked, in which order, and for how long, when providers fail? On a clock that jumps, so that waiting is exact."""

import asyncio

import pytest

from router.errors import UpstreamFailed
from router.testing.configured import router_settings
from router.testing.inprocess import Front
from router.testing.instant import run_instantly
from router.testing.upstream import ScriptedUpstream, busy, complaint

TOO_LONG = "This model's maximum context length is 8192 tokens."


def settings(**more):
    tiers = {"fast": ["fast-a", "fast-b"], "mid": ["mid-a", "mid-b"], "top": ["top-a"]}
    return router_settings("http://provider.test/v1", **{"tiers": tiers, "provider": {"max_retries": 0}, **more})


def windows(found, **tokens):
    """The settings with other context windows, by model."""
    tiers = tuple(
        tier.model_copy(
            update={
                "models": tuple(
                    entry.model_copy(update={"context_tokens": tokens.get(entry.model.replace("-", "_"), 8192)})
                    for entry in tier.models
                )
            }
        )
        for tier in found.tiers
    )
    return found.model_copy(update={"tiers": tiers})


def test_a_tier_that_fails_as_a_whole_is_left_alone_as_a_whole():
    upstream = ScriptedUpstream(always={"fast-a": busy(500), "fast-b": busy(500)})

    async def main():
        front = Front(
            settings(routing={"breaker": {"failures": 100, "tier_failures": 2, "cooldown_seconds": 10}}), upstream
        )
        for _ in range(2):
            assert (await front.ask()).model == "mid-a"
        assert front.health.state("fast") == "open"
        asked = len(upstream.asked)
        for _ in range(5):
            assert (await front.ask()).model == "mid-a"
        assert upstream.asked[asked:] == ["mid-a"] * 5  # fast was not tried model by model again
        await asyncio.sleep(10)
        assert (await front.ask()).model == "mid-a"  # the probe: each of its models, once
        assert upstream.asked[-3:] == ["fast-a", "fast-b", "mid-a"]
        assert front.health.retry_after_seconds("fast") == 20
        await asyncio.sleep(20)
        upstream.always.clear()
        assert (await front.ask()).model == "fast-a"
        assert front.health.state("fast") == "closed"
        assert len(front.exchanges) == 9

    run_instantly(main)


def test_a_dead_provider_gets_few_attempts_for_many_requests():
    upstream = ScriptedUpstream(always={"fast-a": busy(500), "fast-b": busy(500)})

    async def main():
        front = Front(settings(provider={"max_retries": 2}), upstream)
        for _ in range(100):
            assert (await front.ask()).model == "mid-a"
        assert len(front.exchanges) == 100

    run_instantly(main)
    assert sum(model.startswith("fast") for model in upstream.asked) <= 10 + 2 * 6  # and the probes meanwhile


def test_a_single_model_cools_down_as_any_other():
    upstream = ScriptedUpstream(always={"top-a": busy(500)})

    async def main():
        front = Front(settings(), upstream)
        statuses = [(await front.ask(model="top-a")).status for _ in range(20)]
        assert statuses == [502] * 3 + [503] * 17  # the tier is this one model: three requests open its breaker

    run_instantly(main)
    assert len(upstream.asked) == 3


def test_a_pinned_model_says_nothing_about_its_tier():
    upstream = ScriptedUpstream(always={"fast-a": busy(500)})

    async def main():
        front = Front(
            settings(routing={"breaker": {"failures": 100, "tier_failures": 1, "cooldown_seconds": 10}}), upstream
        )
        assert (await front.ask(model="fast-a")).status == 502
        assert front.health.state("fast") == "closed"

    run_instantly(main)


def test_a_request_that_others_turned_down_does_not_count_against_the_tier():
    upstream = ScriptedUpstream(always={"fast-a": busy(500), "fast-b": complaint("temperature must be at most 2")})

    async def main():
        front = Front(
            settings(routing={"breaker": {"failures": 100, "tier_failures": 1, "cooldown_seconds": 10}}), upstream
        )
        assert (await front.ask()).status == 400
        assert front.health.state("fast") == "closed"

    run_instantly(main)


def test_retry_after_is_kept_by_the_whole_process():
    upstream = ScriptedUpstream(always={"fast-a": busy(429, 30)})

    async def main():
        front = Front(settings(), upstream)
        for _ in range(10):
            assert (await front.ask()).model == "fast-b"
        assert upstream.asked.count("fast-a") == 1
        assert front.health.state(("p", "fast-a")) == "closed"
        await asyncio.sleep(30)
        upstream.always.clear()
        assert (await front.ask()).model == "fast-a"

    run_instantly(main)


@pytest.mark.parametrize("named_seconds", [0.3, 5.0, 40.0])
def test_who_has_nobody_else_to_ask_waits_for_as_long_as_was_said_and_all_come_back_after_it(named_seconds):
    upstream = ScriptedUpstream()
    upstream.scripts["top-a"].append(busy(429, named_seconds))

    async def main():
        front = Front(settings(provider={"max_retries": 1}), upstream)
        crowd = await asyncio.gather(*(front.ask(model="top", request_id=str(n)) for n in range(4)))
        assert [one.status for one in crowd] == [200] * 4
        later = await front.ask(model="top")
        assert later.seconds < 0.01
        # The others were under way before anybody knew; only the one that was told waits here.
        waited = max(one.seconds for one in crowd)
        assert named_seconds < waited <= named_seconds + 0.2

    run_instantly(main)


def test_a_request_that_comes_during_a_pause_waits_for_its_end_if_nobody_else_can_answer():
    upstream = ScriptedUpstream()
    upstream.scripts["top-a"].append(busy(429, 8))

    async def main():
        front = Front(settings(provider={"max_retries": 0}), upstream)
        assert (await front.ask(model="top")).status == 429
        await asyncio.sleep(3)
        waited = await front.ask(model="top")
        assert (waited.status, upstream.asked) == (200, ["top-a", "top-a"])
        assert 5 < waited.seconds <= 5.2

    run_instantly(main)


def test_a_pause_beyond_the_deadline_is_told_to_the_client_at_once():
    upstream = ScriptedUpstream(always={"top-a": busy(429, 300)})

    async def main():
        front = Front(settings(), upstream)
        first, second = await front.ask(model="top"), await front.ask(model="top")
        for answer, seconds in ((first, 300), (second, 300)):
            assert (answer.status, answer.headers["retry-after"]) == (429, str(seconds))
            assert answer.seconds < 0.01
        assert len(upstream.asked) == 1

    run_instantly(main)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_conversation_that_is_too_long_goes_straight_to_a_larger_window(streamed):
    upstream = ScriptedUpstream(always={"fast-a": complaint(TOO_LONG)})

    async def main():
        front = Front(windows(settings(), mid_b=100_000), upstream)
        answer = await front.ask(fields={"stream": streamed})
        assert answer.model == "mid-b"
        [exchange] = front.exchanges
        assert (exchange.reason, exchange.served_tier) == ("context", "mid")

    run_instantly(main)
    assert upstream.asked == ["fast-a", "mid-b"]


def test_where_no_window_is_larger_the_providers_own_words_pass_through():
    upstream = ScriptedUpstream(always={"fast-a": complaint(TOO_LONG), "top-a": busy(500)})

    async def main():
        front = Front(windows(settings()), upstream)
        answer = await front.ask()
        assert (answer.status, answer.json()["error"]["message"]) == (400, TOO_LONG)
        [exchange] = front.exchanges
        assert (exchange.status, exchange.error_kind) == ("failed", "context_length")

    run_instantly(main)
    assert upstream.asked == ["fast-a"]


def test_if_the_larger_windows_fail_the_first_complaint_passes_through():
    upstream = ScriptedUpstream(always={"fast-a": complaint(TOO_LONG), "top-a": busy(500)})

    async def main():
        answer = await Front(windows(settings(), top_a=100_000), upstream).ask()
        assert (answer.status, answer.json()["error"]["message"]) == (400, TOO_LONG)

    run_instantly(main)


def test_a_full_tier_sends_the_next_request_up_and_a_full_top_says_when_to_come_back():
    upstream = ScriptedUpstream(always=dict.fromkeys(["fast-a", "fast-b", "mid-a", "mid-b", "top-a"]))

    async def main():
        found = settings(provider={"timeout_seconds": 30})
        limited = {"max_concurrency": 1, "max_wait_seconds": 2.0, "max_waiting": 1}
        found = found.model_copy(update={"tiers": tuple(tier.model_copy(update=limited) for tier in found.tiers)})
        front = Front(found, upstream)
        busy_ones = [asyncio.create_task(front.ask(model=tier, request_id=tier)) for tier in ("fast", "mid", "top")]
        await asyncio.sleep(1)
        answer = await front.ask(request_id="late")
        assert (answer.status, answer.headers["retry-after"]) == (429, "1")
        assert answer.seconds == pytest.approx(6.0)  # two seconds in each line
        upstream.always.clear()
        for task in busy_ones:
            task.cancel()
        await asyncio.gather(*busy_ones, return_exceptions=True)
        assert (await front.ask(request_id="after")).status == 200

    run_instantly(main)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_place_is_free_again_whatever_became_of_its_request(streamed):
    broken = UpstreamFailed("timeout")
    upstream = ScriptedUpstream()

    async def main():
        found = settings()
        limited = {"max_concurrency": 1, "max_wait_seconds": 0.0}
        found = found.model_copy(update={"tiers": tuple(tier.model_copy(update=limited) for tier in found.tiers)})
        front = Front(found, upstream)
        for entry in ("good", complaint("no"), broken, None, "good"):
            upstream.scripts["fast-a"].append(entry)
            await front.ask(fields={"stream": streamed}, leaves_after_seconds=0.5 if entry is None else None)
        assert [(e.status, e.served_tier) for e in front.exchanges] == [
            ("answered", "fast"),
            ("failed", None),
            ("answered", "fast"),
            ("cancelled", None),
            ("answered", "fast"),
        ]

    run_instantly(main)


def test_an_endpoint_that_does_not_know_stream_options_is_asked_without_them_from_then_on():
    upstream = ScriptedUpstream()
    upstream.scripts["fast-a"].append(complaint("Unrecognized request argument supplied: stream_options"))

    async def main():
        front = Front(settings(), upstream)
        for _ in range(2):
            answer = await front.ask(fields={"stream": True})
            assert answer.body.endswith(b"data: [DONE]\n\n")
        assert [len(exchange.attempts) for exchange in front.exchanges] == [2, 1]

    run_instantly(main)
    assert [b"stream_options" in body for body in upstream.bodies] == [True, False, False]


def test_an_endpoint_that_is_known_not_to_know_stream_options_is_never_asked_with_them():
    upstream = ScriptedUpstream()

    async def main():
        await Front(settings(provider={"stream_usage": False}), upstream).ask(fields={"stream": True})

    run_instantly(main)
    assert b"stream_options" not in upstream.bodies[0]


def test_a_client_that_insists_on_stream_options_gets_the_endpoints_own_words():
    upstream = ScriptedUpstream(always={"fast-a": complaint("stream_options is not supported")})

    async def main():
        front = Front(settings(), upstream)
        answer = await front.ask(fields={"stream": True, "stream_options": {"include_usage": True}})
        assert answer.status == 400

    run_instantly(main)
    assert upstream.asked == ["fast-a"]
