"""What does a client see when providers fail, and what is recorded?"""

import gzip
import socket
import threading
import time

import httpx
import openai
import orjson
import pytest

from router.testing.completions import MODEL_SUFFIX, chunks, completion, usage
from router.testing.configured import router_settings
from router.testing.provider import FakeProvider, answering, reset, silence, status, streaming
from router.testing.server import RunningRouter

pytestmark = pytest.mark.slow
EASY = [{"role": "user", "content": "What is the capital of France?"}]
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


@pytest.fixture
def provider():
    with FakeProvider() as running:
        yield running


@pytest.fixture
def router(provider, tmp_path):
    with RunningRouter(router_settings(provider.base_url), tmp_path) as running:
        yield running


@pytest.fixture
def client(router):
    with openai.OpenAI(base_url=router.base_url, api_key="unused", max_retries=0) as opened:
        yield opened


def ask(client, *, streamed=False, model="auto"):
    """(text, headers) of an answer, read to its end."""
    raw = client.chat.completions.with_raw_response.create(model=model, messages=EASY, stream=streamed)
    answer = raw.parse()
    if streamed:
        return "".join(chunk.choices[0].delta.content or "" for chunk in answer), raw.headers
    return answer.choices[0].message.content, raw.headers


def collect(stream, words):
    for chunk in stream:
        words.append(chunk.choices[0].delta.content or "")


def outcomes(exchange):
    return [(attempt.model, attempt.outcome) for attempt in exchange.attempts]


@STREAMED
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (status(500, {"error": {"message": "boom"}}), "http_500"),
        (status(503), "http_503"),
        (status(429, headers={"retry-after": "0"}), "http_429"),
        (reset(), "reset"),
    ],
    ids=["500", "503", "429", "reset"],
)
def test_a_passing_fault_is_retried_on_the_same_model(client, router, provider, streamed, fault, kind):
    provider.then("fast-a", fault)
    text, headers = ask(client, streamed=streamed)
    assert (text, headers["x-shadow-model"]) == ("Paris is the capital.", "fast-a" + MODEL_SUFFIX)
    [exchange] = router.exchanges()
    assert outcomes(exchange) == [("fast-a", kind), ("fast-a", "ok")]
    assert exchange.status == "answered"


@STREAMED
@pytest.mark.parametrize(
    "fault",
    [
        status(500),
        status(401),
        status(404),
        status(302, headers={"location": "/x"}),
        silence(),
        status(200, b"<html>"),
        status(200, {"error": {"message": "quota"}}),
        status(200, b""),
        reset(),
    ],
    ids=["500", "401", "404", "redirect", "silence", "html", "error-in-200", "empty", "reset"],
)
def test_a_lasting_fault_moves_on_to_the_next_model_of_the_tier(client, router, provider, streamed, fault):
    provider.always("fast-a", fault)
    text, headers = ask(client, streamed=streamed)
    assert (text, headers["x-shadow-model"]) == ("Paris is the capital.", "fast-b" + MODEL_SUFFIX)
    assert (headers["x-shadow-tier"], headers["x-shadow-escalations"]) == ("fast", "0")
    [exchange] = router.exchanges()
    assert exchange.reason is None  # same tier: no escalation
    assert 2 <= len(exchange.attempts) <= 4


@STREAMED
def test_a_tier_that_is_down_hands_over_to_the_next_one_with_the_reason_fallback(client, router, provider, streamed):
    provider.always("fast-a", status(503))
    provider.always("fast-b", status(503))
    text, headers = ask(client, streamed=streamed)
    assert text == "Paris is the capital."
    assert (headers["x-shadow-tier"], headers["x-shadow-escalations"]) == ("top", "1")
    [exchange] = router.exchanges()
    assert (exchange.decision.chosen, exchange.served_tier, exchange.reason) == ("fast", "top", "fallback")


def test_a_pinned_model_is_never_replaced_by_another(client, router, provider):
    provider.always("fast-b", status(503))
    with pytest.raises(openai.InternalServerError):
        ask(client, model="fast-b")
    assert set(provider.models()) == {"fast-b"}


@STREAMED
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (status(500), 502),
        (status(429, headers={"retry-after": "90"}), 429),
        (silence(), 504),
        (status(200, b"nonsense"), 502),
    ],
    ids=["500", "429", "silence", "nonsense"],
)
def test_when_nobody_answers_the_client_gets_one_clear_error(router, provider, streamed, fault, expected):
    for model in ("fast-a", "fast-b", "top-a"):
        provider.always(model, fault)
    body = {"model": "auto", "messages": EASY, "stream": streamed}
    answer = httpx.post(f"{router.base_url}/chat/completions", json=body, timeout=30)
    assert answer.status_code == expected
    error = answer.json()["error"]
    assert "fast/fast-a" in error["message"]
    assert error["type"] == "upstream_error"
    assert answer.headers["x-shadow-request-id"]
    if expected == 429:
        assert answer.headers["retry-after"] == "90"  # beyond the deadline: passed on at once
    [exchange] = router.exchanges()
    assert (exchange.status, exchange.http_status, exchange.served_tier) == ("failed", expected, None)


@STREAMED
@pytest.mark.parametrize("code", [400, 413, 422])
def test_the_providers_complaint_about_the_request_passes_through_and_is_not_retried(router, provider, streamed, code):
    complaint = b'{"error" : {"message":"bad temperature","type":"invalid_request_error","code":null}}'
    provider.always("fast-a", status(code, complaint))
    body = {"model": "auto", "messages": EASY, "stream": streamed}
    answer = httpx.post(f"{router.base_url}/chat/completions", json=body)
    assert (answer.status_code, answer.content) == (code, complaint)
    assert provider.models() == ["fast-a"]
    [exchange] = router.exchanges()
    assert (exchange.status, exchange.http_status, exchange.error_kind) == ("failed", code, f"http_{code}")


def test_retry_after_is_honoured(client, router, provider):
    provider.then("fast-a", status(429, headers={"retry-after": "1"}))
    began = time.monotonic()
    ask(client)
    assert 1.0 <= time.monotonic() - began < 1.5
    assert provider.models() == ["fast-a", "fast-a"]


def test_a_long_retry_after_means_moving_on_at_once(client, provider):
    provider.always("fast-a", status(429, headers={"retry-after": "30"}))
    began = time.monotonic()
    _, headers = ask(client)
    assert time.monotonic() - began < 1
    assert headers["x-shadow-model"] == "fast-b" + MODEL_SUFFIX


def test_a_provider_that_cannot_be_connected_to_is_moved_on_from(provider, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        settings = router_settings(dead)
        good = settings.providers["p"].model_copy(update={"base_url": provider.base_url})
        top = settings.tiers[1].model_copy(
            update={"models": (settings.tiers[1].models[0].model_copy(update={"provider": "q"}),)}
        )
        settings = settings.model_copy(
            update={"providers": {**settings.providers, "q": good}, "tiers": (settings.tiers[0], top)}
        )
        with (
            RunningRouter(settings, tmp_path) as router,
            openai.OpenAI(base_url=router.base_url, api_key="x", max_retries=0) as client,
        ):
            _, headers = ask(client)
            assert headers["x-shadow-tier"] == "top"
            [exchange] = router.exchanges()
            assert set(outcomes(exchange)[:-1]) == {("fast-a", "connect"), ("fast-b", "connect")}


def test_a_kept_alive_connection_that_the_provider_dropped_is_survived(client, router, provider):
    provider.close_when_idle = True
    for _ in range(6):
        ask(client)
        ask(client, streamed=True)
    assert {exchange.status for exchange in router.exchanges()} == {"answered"}
    assert any(attempt.outcome == "reset" for exchange in router.exchanges() for attempt in exchange.attempts)


def break_off(ending, *, last=None):
    """A stream that says two words and then ends badly."""

    async def behave(call):
        events = chunks(call.seen, "Paris is the capital", usage())[:3]
        await streaming([*events, *([last] if last else [])], ending=ending)(call)

    return behave


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (break_off("cut"), "cut"),
        (break_off("clean"), "cut"),
        (break_off("clean", last=b'data: {"choices": [{"del'), "cut"),
        (break_off("clean", last=b"data: {nonsense}\n\n"), "bad_body"),
        (break_off("hang"), "idle"),
        (break_off("clean", last=b'data: {"error": {"message": "overloaded"}}\n\n'), "error_event"),
    ],
    ids=["connection-cut", "no-done", "torn-event", "malformed", "stall", "error-event"],
)
def test_a_broken_stream_ends_in_an_error_and_never_in_a_truncated_success(router, client, provider, fault, kind):
    provider.always("fast-a", fault)
    received = httpx.post(
        f"{router.base_url}/chat/completions", json={"model": "auto", "messages": EASY, "stream": True}, timeout=10
    )
    assert b"[DONE]" not in received.content
    assert received.content.rstrip().rpartition(b"\n")[2].startswith(b'data: {"error":')
    words = []
    with pytest.raises(openai.APIError):
        collect(client.chat.completions.create(model="auto", messages=EASY, stream=True), words)
    assert "".join(words) == "Paris is"
    for exchange in router.exchanges():
        assert (exchange.status, exchange.error_kind, exchange.completion) == ("failed", kind, "Paris is")
        [attempt] = exchange.attempts
        assert (attempt.outcome, exchange.extra["usage"]) == (kind, "estimated")
        assert attempt.cost_usd > 0  # what was generated is billed
    assert len(router.exchanges()) == 2


@pytest.mark.parametrize(
    "fault",
    [
        streaming([], ending="cut"),
        streaming([], ending="clean"),
        streaming([b": thinking\n\n"], ending="hang"),
        streaming([b"data: [DONE]\n\n"]),
        streaming([b'data: {"error": {"message": "overloaded"}}\n\n']),
        streaming([b"data: {nonsense}\n\n"]),
    ],
    ids=["cut", "empty", "stall", "only-done", "error-event", "malformed"],
)
def test_a_stream_that_fails_before_it_says_anything_is_taken_over_by_the_next_model(client, router, provider, fault):
    provider.always("fast-a", fault)
    text, headers = ask(client, streamed=True)
    assert (text, headers["x-shadow-model"]) == ("Paris is the capital.", "fast-b" + MODEL_SUFFIX)
    [exchange] = router.exchanges()
    assert exchange.status == "answered"


def test_an_answer_that_is_compressed_unasked_is_unpacked(client, router, provider):
    async def packed(call):
        body = gzip.compress(orjson.dumps(completion(call.seen, "unpacked", usage())))
        await call.whole(200, body, {"content-encoding": "gzip"})

    provider.then("fast-a", packed, status(200, b"no gzip at all", {"content-encoding": "gzip"}))
    assert ask(client)[0] == "unpacked"
    _, headers = ask(client)
    assert headers["x-shadow-model"] == "fast-b" + MODEL_SUFFIX
    assert [len(exchange.attempts) for exchange in router.exchanges()] == [1, 2]


def test_a_breaker_opens_probes_and_closes(provider, tmp_path):
    routing = {"breaker": {"failures": 2, "cooldown_seconds": 0.4}}
    settings = router_settings(provider.base_url, provider={"max_retries": 0}, routing=routing)
    with (
        RunningRouter(settings, tmp_path) as router,
        openai.OpenAI(base_url=router.base_url, api_key="x", max_retries=0) as client,
    ):
        provider.then("fast-a", status(500), status(500))
        for _ in range(5):
            ask(client)
        # Two failures, then three requests that leave it alone.
        assert provider.models().count("fast-a") == 2
        metrics = httpx.get(f"{router.url}/metrics").text
        assert 'shadow_breaker_open{model="fast-a",tier="fast"} 1.0' in metrics
        deadline = time.monotonic() + 5
        while ask(client)[1]["x-shadow-model"] != "fast-a" + MODEL_SUFFIX:
            assert time.monotonic() < deadline, "the breaker never closed"
        metrics = httpx.get(f"{router.url}/metrics").text
        assert 'shadow_breaker_open{model="fast-a",tier="fast"} 0.0' in metrics


def test_when_all_breakers_are_open_the_client_is_told_when_to_come_back(provider, tmp_path):
    routing = {"breaker": {"failures": 1, "cooldown_seconds": 20}}
    settings = router_settings(provider.base_url, provider={"max_retries": 0}, routing=routing)
    for model in ("fast-a", "fast-b", "top-a"):
        provider.always(model, status(500))
    with RunningRouter(settings, tmp_path) as router:
        body = {"model": "auto", "messages": EASY}
        assert httpx.post(f"{router.base_url}/chat/completions", json=body).status_code == 502
        answer = httpx.post(f"{router.base_url}/chat/completions", json=body)
        assert answer.status_code == 503
        assert 15 <= int(answer.headers["retry-after"]) <= 20
        assert len(provider.seen) == 3
        assert [exchange.http_status for exchange in router.exchanges()] == [502, 503]


@STREAMED
def test_a_client_that_leaves_cancels_the_provider_and_is_recorded_once(provider, tmp_path, streamed):
    patient = {"timeout_seconds": 60, "first_token_seconds": 60}
    with RunningRouter(router_settings(provider.base_url, provider=patient), tmp_path) as router:
        leave_early(router, provider, streamed)


def leave_early(router, provider, streamed):
    async def endless(call):
        if streamed:
            await streaming(chunks(call.seen, "one two", usage())[:3], ending="hang")(call)
        else:
            await silence()(call)

    provider.always("fast-a", endless)
    body = b'{"model":"auto","stream":%s,"messages":[{"role":"user","content":"hi"}]}' % str(streamed).lower().encode()
    with socket.create_connection(("127.0.0.1", router.port)) as leaving:
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
        leaving.sendall(head % len(body) + body)
        if streamed:
            received = b""
            while b"two" not in received:
                received += leaving.recv(65536)
        else:
            assert provider.asked.wait(10)
    assert provider.hung_up.wait(10), "the provider was left working"
    router.stop()
    [exchange] = router.exchanges()
    assert (exchange.status, exchange.error_kind) == ("cancelled", "client_disconnect")
    assert outcomes(exchange) == [("fast-a", "cancelled")]
    assert exchange.completion == ("one two" if streamed else "")


def test_a_client_that_leaves_does_not_count_against_the_model(provider, tmp_path):
    settings = router_settings(
        provider.base_url,
        provider={"timeout_seconds": 60},
        routing={"breaker": {"failures": 1, "cooldown_seconds": 60}},
    )
    with RunningRouter(settings, tmp_path) as router:
        provider.then("fast-a", silence())
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{router.base_url}/chat/completions", json={"model": "auto", "messages": EASY}, timeout=0.2)
        assert provider.hung_up.wait(10)
        with openai.OpenAI(base_url=router.base_url, api_key="x", max_retries=0) as client:
            assert ask(client)[1]["x-shadow-model"] == "fast-a" + MODEL_SUFFIX


def test_every_request_of_a_mixed_crowd_ends_in_exactly_one_exchange(router, provider):
    faults = [answering(), status(500), reset(), break_off("cut"), status(400), answering("ok"), status(200, b"x")]
    for model in ("fast-a", "fast-b", "top-a"):
        provider.then(model, *faults * 10)
    ids = []

    def crowd(number):
        with httpx.Client(timeout=20) as one:
            for turn in range(10):
                body = {"model": "auto", "messages": EASY, "stream": (number + turn) % 2 == 0}
                answer = one.post(f"{router.base_url}/chat/completions", json=body)
                ids.append(answer.headers["x-shadow-request-id"])

    threads = [threading.Thread(target=crowd, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    router.stop()
    assert sorted(ids) == sorted(exchange.request_id for exchange in router.exchanges())
    assert len(ids) == 80
