"""Do the official clients and a LangChain chat model notice which dialect the model behind the router speaks?"""

import json

import anthropic
import openai
import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI

from router.testing.completions import MODEL_SUFFIX, usage
from router.testing.configured import router_settings
from router.testing.provider import FakeProvider, answering, status, streaming
from router.testing.server import RunningRouter

pytestmark = pytest.mark.slow
TEXT = "Paris is the capital."
EASY = [{"role": "user", "content": "What is the capital of France?"}]
PNG = "iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
OPENAI_TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
ANTHROPIC_TOOLS = [{"name": "weather", "input_schema": SCHEMA}]
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}


@pytest.fixture
def provider():
    with FakeProvider() as running:
        yield running


@pytest.fixture(params=["openai", "anthropic"])
def kind(request):
    """What the provider of all tiers speaks."""
    return request.param


@pytest.fixture
def router(provider, kind, tmp_path):
    settings = router_settings(
        provider.base_url,
        kinds={"fast": kind, "top": kind},
        provider={"api_key_env": "PROVIDER_KEY", "max_retries": 0},
        routing={"deadline_seconds": 5},  # shorter than any Retry-After below: nobody waits
    )
    with RunningRouter(settings, tmp_path, {"PROVIDER_KEY": "sk-provider"}) as running:
        yield running


@pytest.fixture
def gpt(router):
    with openai.OpenAI(base_url=router.base_url, api_key="unused", max_retries=0) as opened:
        yield opened


@pytest.fixture
def claude(router):
    with anthropic.Anthropic(base_url=router.url, api_key="unused", max_retries=0) as opened:
        yield opened


@pytest.fixture
def chain(router):
    return ChatOpenAI(
        base_url=router.base_url, api_key="unused", model="auto", max_retries=0, stream_usage=True, temperature=0.5
    )


def test_openai_whole(gpt, router, provider, kind):
    raw = gpt.chat.completions.with_raw_response.create(model="auto", messages=EASY)
    answer = raw.parse()
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == raw.headers["x-shadow-model"] == "fast-a" + MODEL_SUFFIX
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (10, 5, 15)
    assert raw.headers["x-request-id"] == "req-upstream"
    assert provider.seen[0].path == PATHS[kind]
    [exchange] = router.exchanges()
    assert (exchange.dialect, exchange.completion, exchange.finish_reason) == ("openai.chat", TEXT, "stop")
    assert (exchange.prompt_tokens, exchange.completion_tokens) == (10, 5)


def test_anthropic_whole(claude, router, provider, kind):
    raw = claude.messages.with_raw_response.create(model="auto", max_tokens=50, messages=EASY, system="Be brief.")
    answer = raw.parse()
    assert [block.text for block in answer.content] == [TEXT]
    assert answer.stop_reason == "end_turn"
    assert answer.model == raw.headers["x-shadow-model"] == "fast-a" + MODEL_SUFFIX
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (10, 5)
    assert raw.headers["request-id"] == "req-upstream"
    assert provider.seen[0].path == PATHS[kind]
    [exchange] = router.exchanges()
    assert (exchange.dialect, exchange.completion, exchange.finish_reason) == ("anthropic.messages", TEXT, "stop")
    assert json.loads(exchange.request_body)["system"] == "Be brief."


def test_each_dialect_brings_its_key_in_its_way(gpt, claude, provider, kind):
    gpt.chat.completions.create(model="auto", messages=EASY)
    claude.beta.messages.create(model="auto", max_tokens=50, messages=EASY, betas=["new-thing-2026"])
    for seen in provider.seen:
        if kind == "openai":
            assert seen.headers["authorization"] == "Bearer sk-provider"
            assert not [name for name in seen.headers if name.startswith(("anthropic-", "x-api-key"))]
        else:
            assert seen.headers["x-api-key"] == "sk-provider"
            assert "authorization" not in seen.headers
    if kind == "anthropic":  # ours where we write the request, the client's where the client does
        own = claude.default_headers["anthropic-version"]
        assert [seen.headers["anthropic-version"] for seen in provider.seen] == ["2023-06-01", own]
    assert provider.seen[1].headers.get("anthropic-beta") == (None if kind == "openai" else "new-thing-2026")


def test_openai_streamed(gpt, router):
    asked = {"include_usage": True}
    chunks = list(gpt.chat.completions.create(model="auto", messages=EASY, stream=True, stream_options=asked))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [15]
    assert {chunk.model for chunk in chunks} == {"fast-a" + MODEL_SUFFIX}
    [exchange] = router.exchanges()
    assert (exchange.completion, exchange.prompt_tokens, exchange.completion_tokens) == (TEXT, 10, 5)


def test_a_usage_chunk_that_nobody_asked_for_does_not_arrive(gpt):
    assert all(chunk.choices for chunk in gpt.chat.completions.create(model="auto", messages=EASY, stream=True))


def test_anthropic_streamed(claude, router):
    with claude.messages.stream(model="auto", max_tokens=50, messages=EASY) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert text == TEXT
    assert (message.stop_reason, message.usage.input_tokens, message.usage.output_tokens) == ("end_turn", 10, 5)
    assert message.model == "fast-a" + MODEL_SUFFIX
    [exchange] = router.exchanges()
    assert (exchange.completion, exchange.prompt_tokens, exchange.completion_tokens) == (TEXT, 10, 5)


@pytest.mark.parametrize("streamed", [False, True])
def test_openai_calls_a_tool_and_says_what_came_of_it(gpt, provider, kind, streamed, router):
    asked = {"model": "auto", "messages": EASY, "tools": OPENAI_TOOLS, "tool_choice": "required"}
    if streamed:
        with gpt.chat.completions.stream(**asked) as stream:
            choice = stream.get_final_completion().choices[0]
    else:
        choice = gpt.chat.completions.create(**asked).choices[0]
    [call] = choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Paris"})
    result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"}
    said = choice.message.model_dump()
    answer = gpt.chat.completions.create(model="auto", messages=[*EASY, said, result])
    assert answer.choices[0].message.content == TEXT
    last = provider.seen[-1].fields["messages"][-1]
    if kind == "anthropic":
        assert provider.seen[0].fields["tool_choice"] == {"type": "any"}
        assert last["content"] == [{"type": "tool_result", "tool_use_id": call.id, "content": "18 degrees"}]
    else:
        assert last == result
    assert json.loads(router.exchanges()[0].tool_calls)[0]["function"]["name"] == "weather"


@pytest.mark.parametrize("streamed", [False, True])
def test_anthropic_calls_a_tool_and_says_what_came_of_it(claude, provider, kind, streamed, router):
    asked = {"model": "auto", "max_tokens": 50, "messages": EASY, "tools": ANTHROPIC_TOOLS}
    asked["tool_choice"] = {"type": "tool", "name": "weather"}
    if streamed:
        with claude.messages.stream(**asked) as stream:
            answer = stream.get_final_message()
    else:
        answer = claude.messages.create(**asked)
    [use] = answer.content
    assert answer.stop_reason == "tool_use"
    assert (use.name, use.input) == ("weather", {"city": "Paris"})
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "18 degrees"}
    said = {"role": "assistant", "content": [{"type": "tool_use", "id": use.id, "name": use.name, "input": use.input}]}
    turn = {"role": "user", "content": [result, {"type": "text", "text": "So?"}]}
    answer = claude.messages.create(model="auto", max_tokens=50, messages=[*EASY, said, turn])
    assert answer.content[0].text == TEXT
    messages = provider.seen[-1].fields["messages"]
    if kind == "openai":
        assert provider.seen[0].fields["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
        assert messages[-2:] == [
            {"role": "tool", "tool_call_id": use.id, "content": "18 degrees"},
            {"role": "user", "content": "So?"},
        ]
    else:
        assert messages[-1] == turn
    calls = json.loads(router.exchanges()[0].tool_calls)
    assert [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls] == [("weather", use.input)]


def test_images_arrive_in_the_providers_shape(gpt, claude, provider, kind):
    url = f"data:image/png;base64,{PNG}"
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    blocks = [{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}]
    gpt.chat.completions.create(model="auto", messages=[{"role": "user", "content": parts}])
    claude.messages.create(model="auto", max_tokens=50, messages=[{"role": "user", "content": blocks}])
    expected = parts if kind == "openai" else blocks
    assert [seen.fields["messages"][0]["content"] for seen in provider.seen] == [expected, expected]


def test_thinking_passes_through_where_it_is_spoken_and_is_named_where_it_is_not(claude, provider, kind, router):
    asked = {
        "model": "auto",
        "max_tokens": 2000,
        "messages": EASY,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }
    if kind == "openai":
        with pytest.raises(anthropic.BadRequestError, match=r"does not support thinking: top/top-a|fast-a") as rejected:
            claude.messages.create(**asked)
        assert rejected.value.body["error"]["type"] == "invalid_request_error"
        assert not provider.seen
        [exchange] = router.exchanges()
        assert (exchange.status, exchange.http_status, exchange.cost_usd) == ("failed", 400, 0)
        headers = {"x-shadow-drop-unsupported": "true"}
        raw = claude.messages.with_raw_response.create(**asked, extra_headers=headers)
        assert raw.headers["x-shadow-dropped"] == "thinking"
        assert raw.parse().content[0].text == TEXT
        return
    answer = claude.messages.create(**asked)
    assert [block.type for block in answer.content] == ["thinking", "text"]
    assert answer.content[0].signature == "c2lnbmVk"
    with claude.messages.stream(**asked) as stream:
        streamed = stream.get_final_message()
    assert streamed.content[0].signature == "c2lnbmVk"
    assert router.exchanges()[0].completion == TEXT


def test_what_an_openai_client_asks_in_vain_is_named_and_may_be_dropped(gpt, kind):
    if kind == "openai":
        return_as_is = gpt.chat.completions.with_raw_response.create(model="auto", messages=EASY, seed=7, n=2)
        assert len(return_as_is.parse().choices) == 2
        assert "x-shadow-dropped" not in return_as_is.headers
        return
    with pytest.raises(openai.BadRequestError, match="does not support n, seed") as rejected:
        gpt.chat.completions.create(model="auto", messages=EASY, seed=7, n=2)
    assert (rejected.value.code, rejected.value.param) == ("unsupported_parameter", "n")
    raw = gpt.chat.completions.with_raw_response.create(
        model="auto", messages=EASY, seed=7, n=2, extra_headers={"x-shadow-drop-unsupported": "true"}
    )
    assert raw.headers["x-shadow-dropped"] == "n,seed"
    assert len(raw.parse().choices) == 1


def test_cached_tokens_are_counted_and_cost_what_they_cost_in_either_dialect(gpt, claude, provider, router):
    used = {**usage(100, 10), "prompt_tokens_details": {"cached_tokens": 60}}
    provider.always("fast-a", answering(tokens=used))
    answer = gpt.chat.completions.create(model="auto", messages=EASY)
    message = claude.messages.create(model="auto", max_tokens=50, messages=EASY)
    assert (answer.usage.prompt_tokens, answer.usage.prompt_tokens_details.cached_tokens) == (100, 60)
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (40, 60)
    assert [(e.prompt_tokens, e.attempts[0].cached_tokens) for e in router.exchanges()] == [(100, 60), (100, 60)]


ERRORS = {
    "openai": {"error": {"message": "Not like that.", "type": "invalid_request_error", "param": None, "code": None}},
    "anthropic": {"type": "error", "error": {"type": "invalid_request_error", "message": "Not like that."}},
}


def test_a_complaint_of_the_provider_arrives_as_the_clients_own_error(gpt, claude, provider, kind):
    for model in ("fast-a", "fast-b", "top-a"):
        provider.always(model, status(400, ERRORS[kind]))
    with pytest.raises(openai.BadRequestError, match=r"Not like that\.") as told:
        gpt.chat.completions.create(model="auto", messages=EASY)
    assert told.value.type == "invalid_request_error"
    with pytest.raises(anthropic.BadRequestError, match=r"Not like that\.") as said:
        claude.messages.create(model="auto", max_tokens=50, messages=EASY)
    assert said.value.body["error"]["type"] == "invalid_request_error"


def test_a_rate_limit_everywhere_is_a_rate_limit_for_every_client(gpt, claude, chain, provider):
    for model in ("fast-a", "fast-b", "top-a"):
        provider.always(model, status(429, headers={"retry-after": "30"}))
    with pytest.raises(openai.RateLimitError) as told:
        gpt.chat.completions.create(model="auto", messages=EASY)
    assert int(told.value.response.headers["retry-after"]) >= 29
    with pytest.raises(anthropic.RateLimitError) as said:
        claude.messages.create(model="auto", max_tokens=50, messages=EASY)
    assert said.value.body["error"]["type"] == "rate_limit_error"
    assert int(said.value.response.headers["retry-after"]) >= 29
    with pytest.raises(openai.RateLimitError):
        chain.invoke("Hello")


def test_an_overloaded_provider_is_moved_on_from(claude, provider):
    provider.always("fast-a", status(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}))
    answer = claude.messages.create(model="auto", max_tokens=50, messages=EASY)
    assert answer.model == "fast-b" + MODEL_SUFFIX


def test_a_stream_that_breaks_off_is_an_error_for_every_client(gpt, claude, provider, kind):
    if kind == "openai":
        broken = [{"choices": [{"index": 0, "delta": {"content": "Par"}, "finish_reason": None}]}]
    else:
        broken = [
            b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message",'
            b'"role":"assistant","model":"x","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}\n\n',
            b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
            b'"content_block":{"type":"text","text":"Par"}}\n\n',
        ]
    provider.always("fast-a", streaming(broken, ending="cut"))
    stream = gpt.chat.completions.create(model="auto", messages=EASY, stream=True)
    said = []
    with pytest.raises(openai.APIError, match="broke off"):
        said.extend(choice.delta.content or "" for chunk in stream for choice in chunk.choices)
    assert "".join(said) in ("", "Par")
    with (
        pytest.raises(anthropic.APIStatusError, match="broke off"),
        claude.messages.stream(model="auto", max_tokens=50, messages=EASY) as stream,
    ):
        stream.until_done()


def test_a_provider_that_says_in_its_stream_that_it_is_overloaded_is_moved_on_from(gpt, claude, provider, kind):
    if kind == "openai":
        events = [{"error": {"message": "Overloaded", "code": 529}}]
    else:
        events = [
            b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message",'
            b'"role":"assistant","model":"x","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}\n\n',
            b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
        ]
    provider.always("fast-a", streaming(events))
    chunks = list(gpt.chat.completions.create(model="auto", messages=EASY, stream=True))
    assert chunks[0].model == "fast-b" + MODEL_SUFFIX
    with claude.messages.stream(model="auto", max_tokens=50, messages=EASY) as stream:
        assert stream.get_final_message().model == "fast-b" + MODEL_SUFFIX


def test_langchain_whole_streamed_and_with_tools(chain, provider):
    answer = chain.invoke([HumanMessage("What is the capital of France?")])
    assert answer.content == TEXT
    assert answer.usage_metadata["total_tokens"] == 15
    pieces = list(chain.stream("What is the capital of France?"))
    assert "".join(piece.content for piece in pieces) == TEXT
    assert [piece.usage_metadata["total_tokens"] for piece in pieces if piece.usage_metadata] == [15]
    bound = chain.bind_tools(OPENAI_TOOLS)
    said = bound.invoke("How warm is it?")
    [call] = said.tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Paris"})
    whole = None
    for piece in bound.stream("How warm is it?"):
        whole = piece if whole is None else whole + piece
    assert [(c["name"], c["args"]) for c in whole.tool_calls] == [("weather", {"city": "Paris"})]
    told = [HumanMessage("How warm is it?"), said, ToolMessage("18 degrees", tool_call_id=call["id"])]
    assert chain.invoke(told).content == TEXT


def test_a_model_that_takes_the_request_is_asked_before_it_is_turned_down(provider, tmp_path):
    """The cheap tier speaks Anthropic and has no word for `seed`; the top tier speaks OpenAI."""
    settings = router_settings(provider.base_url, kinds={"fast": "anthropic"})
    with (
        RunningRouter(settings, tmp_path) as router,
        openai.OpenAI(base_url=router.base_url, api_key="unused", max_retries=0) as client,
    ):
        raw = client.chat.completions.with_raw_response.create(model="auto", messages=EASY, seed=7)
        assert raw.headers["x-shadow-tier"] == "top"
        assert provider.models() == ["top-a"]
        with pytest.raises(openai.BadRequestError, match="seed"):
            client.chat.completions.create(model="fast", messages=EASY, seed=7)


def test_keys_are_taken_in_either_header(provider, tmp_path):
    settings = router_settings(provider.base_url, kinds={"fast": "anthropic", "top": "anthropic"})
    with RunningRouter(settings, tmp_path, {"SHADOW_API_KEYS": "right"}) as router:
        for key in ({"api_key": "right"}, {"auth_token": "right"}):
            with anthropic.Anthropic(base_url=router.url, max_retries=0, **key) as client:
                assert client.messages.create(model="auto", max_tokens=9, messages=EASY).content[0].text == TEXT
        with (
            anthropic.Anthropic(base_url=router.url, max_retries=0, api_key="wrong") as client,
            pytest.raises(anthropic.AuthenticationError) as rejected,
        ):
            client.messages.create(model="auto", max_tokens=9, messages=EASY)
        assert rejected.value.body["error"]["type"] == "authentication_error"
        assert len({exchange.key_id for exchange in router.exchanges()}) == 1


def test_errors_of_the_router_itself_have_the_clients_shape(claude):
    with pytest.raises(anthropic.NotFoundError, match="Known: auto, fast, top") as unknown:
        claude.messages.create(model="gpt-9", max_tokens=9, messages=EASY)
    assert unknown.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.BadRequestError, match="'messages' must be a non-empty list"):
        claude.messages.create(model="auto", max_tokens=9, messages=[])
    with pytest.raises(anthropic.NotFoundError, match="Tokens are not counted here"):
        claude.messages.count_tokens(model="auto", messages=EASY)


def test_hints_in_metadata_stay_here(claude, provider, router, kind):
    hints = {"user_id": "u-1", "x-shadow-feature": "chat"}
    claude.messages.create(model="auto", max_tokens=9, messages=EASY, metadata=hints)
    [exchange] = router.exchanges()
    assert (exchange.hints.user, exchange.hints.feature) == ("u-1", "chat")
    fields = provider.seen[0].fields
    assert fields["user"] == "u-1" if kind == "openai" else fields["metadata"] == {"user_id": "u-1"}
