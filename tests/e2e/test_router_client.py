"""Does the official client notice that a router is in between?"""

import json

import httpx
import openai
import pytest

from router.settings import RouterSettings
from router.testing.completions import MODEL_SUFFIX, chunks, usage
from router.testing.configured import router_settings
from router.testing.provider import FakeProvider, answering, status, streaming
from router.testing.server import RunningRouter

pytestmark = pytest.mark.slow
EASY = [{"role": "user", "content": "What is the capital of France?"}]
HARD = [
    {
        "role": "user",
        "content": "Tom buys 3 boxes with 12 apples each, gives 7 away and sells half of the rest at $2 each. Prove step by "
        "step how many dollars he has in total, and compare with selling all of them at 20 percent off.",
    }
]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


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


def test_an_easy_request_is_answered_by_the_cheap_tier_and_says_so(client, router):
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=EASY)
    answer = raw.parse()
    assert answer.choices[0].message.content == "Paris is the capital."
    assert answer.model == raw.headers["x-shadow-model"] == "fast-a" + MODEL_SUFFIX
    assert raw.headers["x-shadow-tier"] == "fast"
    assert raw.headers["x-shadow-escalations"] == "0"
    assert raw.headers["x-shadow-policy"] == "0"
    assert raw.headers["x-shadow-cost-usd"] == "0.00002"
    assert 0.85 <= float(raw.headers["x-shadow-confidence"]) <= 1
    assert raw.headers["content-type"] == "application/json"
    [exchange] = router.exchanges()
    assert exchange.request_id == raw.headers["x-shadow-request-id"]
    assert (exchange.status, exchange.served_tier, exchange.completion) == ("answered", "fast", "Paris is the capital.")
    assert (exchange.prompt_tokens, exchange.completion_tokens, exchange.finish_reason) == (10, 5, "stop")
    assert json.loads(exchange.request_body)["messages"] == EASY


def test_a_hard_request_is_answered_by_the_top_tier(client):
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=HARD)
    assert raw.headers["x-shadow-tier"] == "top"
    assert raw.headers["x-shadow-escalations"] == "0"  # predicted there, not moved there


def test_a_stream_arrives_in_chunks_and_is_recorded_before_its_end(client, router):
    stream = client.chat.completions.create(model="auto", messages=EASY, stream=True)
    text = ""
    for chunk in stream:
        assert chunk.choices, "the usage chunk that nobody asked for must not arrive"
        text += chunk.choices[0].delta.content or ""
    # The client has read [DONE]: by then the exchange must be on disk.
    [exchange] = router.exchanges()
    assert text == exchange.completion == "Paris is the capital."
    assert exchange.streamed
    assert exchange.first_token_seconds is not None
    assert (exchange.prompt_tokens, exchange.completion_tokens) == (10, 5)
    assert exchange.finish_reason == "stop"
    assert exchange.served_model == "fast-a" + MODEL_SUFFIX


def test_a_usage_chunk_that_the_client_asked_for_arrives(client):
    stream = client.chat.completions.create(
        model="auto", messages=EASY, stream=True, stream_options={"include_usage": True}
    )
    assert [chunk.usage.total_tokens for chunk in stream if chunk.usage] == [15]


def test_other_stream_options_of_the_client_survive(client, provider):
    options = {"include_usage": False, "include_obfuscation": False}
    list(client.chat.completions.create(model="auto", messages=EASY, stream=True, stream_options=options))
    assert provider.seen[0].fields["stream_options"] == {"include_usage": True, "include_obfuscation": False}


def test_streamed_bytes_are_the_providers_bytes_except_for_the_usage_chunk(router, provider):
    events = [
        b": keep-alive\n\n",
        b'data: {"choices": [{"index":0,"delta":{"content":"\\u00e9\xc3\xa9"}}],  "x_unknown": 1.0}\r\n\r\n',
        b'event: message\nid: 7\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
        b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n',
        b"data: [DONE]\n\n",
    ]
    for size in (None, 1, 7):
        provider.then("fast-a", streaming(events, piece_bytes=size))
        body = {"model": "auto", "stream": True, "messages": EASY}
        received = httpx.post(f"{router.base_url}/chat/completions", json=body).content
        assert received == b"".join(events[:3] + events[4:])
    assert {exchange.completion for exchange in router.exchanges()} == {"éé"}


def test_a_body_passes_through_byte_by_byte_except_for_the_model(router, provider):
    body = '{ "messages":[ {"role":"user","content":"h\\u0069 é","model":"x"} ],"model" : "auto", "seed": 1.50, "new":null}'
    httpx.post(f"{router.base_url}/chat/completions", content=body.encode()).raise_for_status()
    assert provider.seen[0].body == body.replace('"auto"', '"fast-a"').encode()


def test_an_answer_passes_through_byte_by_byte(router, provider):
    content = b'{"choices" : [ {"index":0,"message":{"content":"\\u00e9"}} ],\n "usage":null, "unknown":1.0}'
    provider.then("fast-a", status(200, content))
    received = httpx.post(f"{router.base_url}/chat/completions", json={"model": "auto", "messages": EASY})
    assert received.content == content
    [exchange] = router.exchanges()
    assert exchange.completion == "é"
    assert exchange.extra["usage"] == "estimated"
    assert exchange.cost_usd > 0


def test_tools_pass_through(client, router):
    answer = client.chat.completions.create(model="auto", messages=EASY, tools=TOOLS)
    call = answer.choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Paris"})
    assert answer.choices[0].finish_reason == "tool_calls"
    [exchange] = router.exchanges()
    assert json.loads(exchange.tool_calls)[0]["function"]["name"] == "weather"


def test_streamed_tool_calls_pass_through_and_are_put_together_in_the_record(client, router):
    arguments = ""
    for chunk in client.chat.completions.create(model="auto", messages=EASY, tools=TOOLS, stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            arguments += call.function.arguments or ""
    assert json.loads(arguments) == {"city": "Paris"}
    [exchange] = router.exchanges()
    function = json.loads(exchange.tool_calls)[0]["function"]
    assert (function["name"], json.loads(function["arguments"])) == ("weather", {"city": "Paris"})


@pytest.mark.parametrize("streamed", [False, True])
def test_several_choices_pass_through(client, streamed):
    answer = client.chat.completions.create(model="auto", messages=EASY, n=3, stream=streamed)
    if streamed:
        assert {chunk.choices[0].index for chunk in answer} == {0, 1, 2}
    else:
        assert [choice.index for choice in answer.choices] == [0, 1, 2]


def test_logprobs_pass_through(client):
    answer = client.chat.completions.create(model="auto", messages=EASY, logprobs=True, top_logprobs=2)
    assert answer.choices[0].logprobs.content[0].logprob == -0.1


def test_vision_parts_pass_through(client, provider):
    image = "data:image/png;base64," + "A" * 600_000  # large enough to be written in pieces
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": image}}]
    client.chat.completions.create(model="auto", messages=[{"role": "user", "content": parts}])
    assert provider.seen[0].fields["messages"][0]["content"] == parts


async def test_the_async_client_works_streamed_and_not(router):
    async with openai.AsyncOpenAI(base_url=router.base_url, api_key="unused", max_retries=0) as client:
        answer = await client.chat.completions.create(model="auto", messages=EASY)
        stream = await client.chat.completions.create(model="auto", messages=EASY, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == answer.choices[0].message.content == "Paris is the capital."


@pytest.mark.parametrize(
    ("model", "tier", "answered_by", "reason"),
    [("top", "top", "top-a", "pinned"), ("fast", "fast", "fast-a", None), ("fast-b", "fast", "fast-b", None)],
)
def test_a_tier_name_or_a_model_id_pins(client, router, model, tier, answered_by, reason):
    raw = client.chat.completions.with_raw_response.create(model=model, messages=EASY)
    assert raw.headers["x-shadow-tier"] == tier
    assert raw.parse().model == answered_by + MODEL_SUFFIX
    [exchange] = router.exchanges()
    assert (exchange.requested_model, exchange.reason) == (model, reason)


def test_models_are_listed_and_can_be_retrieved(client):
    names = [model.id for model in client.models.list()]
    assert names == ["auto", "fast", "top", "fast-a", "fast-b", "top-a"]
    assert client.models.retrieve("top-a").id == "top-a"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("other")


def test_hints_in_headers_and_metadata_are_recorded_and_obeyed(client, router):
    raw = client.chat.completions.with_raw_response.create(
        model="auto",
        messages=EASY,
        metadata={"x-shadow-feature": "search", "x-shadow-session": "s1", "other": "kept"},
        extra_headers={"x-shadow-user": "ana", "x-shadow-impact": "high", "x-shadow-query-type": "qa"},
    )
    assert (raw.headers["x-shadow-tier"], raw.headers["x-shadow-escalations"]) == ("top", "1")
    [exchange] = router.exchanges()
    hints = exchange.hints
    assert (hints.user, hints.feature, hints.session, hints.impact) == ("ana", "search", "s1", "high")
    assert (exchange.query_type, exchange.query_type_source, exchange.reason) == ("qa", "hint", "impact")


def test_client_headers_are_not_handed_to_the_provider_except_for_tracing(client, provider):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client.chat.completions.create(
        model="auto", messages=EASY, extra_headers={"traceparent": trace, "x-shadow-user": "ana", "cookie": "a=b"}
    )
    headers = provider.seen[0].headers
    assert headers["traceparent"] == trace
    assert headers["accept-encoding"] == "identity"
    assert not {"authorization", "cookie", "x-shadow-user", "x-stainless-lang"} & set(headers)


def test_the_providers_key_is_sent_and_appears_nowhere_else(provider, tmp_path, capfd):
    settings = router_settings(provider.base_url, provider={"api_key_env": "P_KEY"})
    with RunningRouter(settings, tmp_path, {"P_KEY": "sk-very-secret"}) as router:
        provider.always("fast-a", status(500))
        provider.always("fast-b", status(401))
        provider.always("top-a", status(503))
        with (
            openai.OpenAI(base_url=router.base_url, api_key="client-key", max_retries=0) as client,
            pytest.raises(openai.InternalServerError) as caught,
        ):
            client.chat.completions.create(model="auto", messages=EASY)
        router.stop()
        assert provider.seen[0].headers["authorization"] == "Bearer sk-very-secret"
        assert "secret" not in str(caught.value) + repr(router.exchanges()) + "".join(capfd.readouterr())


def test_observe_mode_decides_and_records_but_serves_the_configured_tier(provider, tmp_path):
    settings: RouterSettings = router_settings(provider.base_url, routing={"mode": "observe"})
    with RunningRouter(settings, tmp_path) as router:
        with openai.OpenAI(base_url=router.base_url, api_key="unused") as client:
            raw = client.chat.completions.with_raw_response.create(model="auto", messages=EASY)
        assert raw.headers["x-shadow-tier"] == "top"
        [exchange] = router.exchanges()
    assert (exchange.mode, exchange.decision.chosen, exchange.served_tier, exchange.reason) == (
        "observe",
        "fast",
        "top",
        None,
    )


def test_a_missing_blank_line_behind_done_is_forgiven(client, provider):
    def forgetful(call):
        events = [*chunks(call.seen, "Paris", usage()), b"data: [DONE]"]
        return streaming(events)(call)

    provider.then("fast-a", forgetful)
    stream = client.chat.completions.create(model="auto", messages=EASY, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Paris"


def test_text_with_nul_and_surrogates_is_served_and_recorded(router, provider):
    provider.then("fast-a", answering("nul \x00 inside"))
    body = b'{"model":"auto","messages":[{"role":"user","content":"lone \\ud800 and \\u0000"}]}'
    received = httpx.post(f"{router.base_url}/chat/completions", content=body)
    assert received.status_code == 200
    [exchange] = router.exchanges()
    assert exchange.completion == "nul \x00 inside"
    assert exchange.request_body.encode() == body
