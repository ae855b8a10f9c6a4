"""Is a request mirrored in the dialect of the model that is asked, natively where that is the client's own?"""

import json
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest

from router.pricing import resolve_prices
from router.testing.completions import MODEL_SUFFIX
from router.testing.provider import FakeProvider, status
from shadow.judging.prompts import question_of
from shadow.mirror import Mirror
from shadow.sampling.draws import Target
from shadow.settings import parse
from shadow.speaking import AnthropicTransport
from shadow.store.samples import Sample

TEXT = "Paris is the capital."
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 9000}
MESSAGES = {"model": "auto", "max_tokens": 9000, "stream": True, "system": "Be brief.", "top_p": 0.5}
TURNS = [
    {"role": "user", "content": [{"type": "text", "text": "How warm is it?"}]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "weather", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "18"}]},
    {"role": "user", "content": [{"type": "text", "text": "So?"}]},
]


@pytest.fixture
def provider():
    with FakeProvider() as running:
        yield running


@pytest.fixture
async def mirror(provider, tmp_path, monkeypatch):
    monkeypatch.setenv("KEY", "sk-shadow")
    price = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
    content = {
        "providers": {
            name: {"kind": kind, "base_url": provider.base_url, "api_key_env": "KEY"}
            for name, kind in (("o", "openai"), ("a", "anthropic"))
        },
        "tiers": [
            {"name": "fast", "models": [{"provider": "o", "model": "gpt", "price": price}]},
            {"name": "top", "models": [{"provider": "a", "model": "claude", "price": price}]},
        ],
        "routing": {"thresholds": {"fast": 0.85}},
        "judges": {"panel": ["structured"]},
        "data_dir": str(tmp_path),
    }
    settings = parse(content, source="test")
    built = Mirror(settings, resolve_prices(settings.providers, settings.tiers))
    yield built
    await built.aclose()


def sample(dialect, **fields):
    body = {**MESSAGES, "messages": TURNS, **fields}
    return Sample(
        request_id="r",
        started_at=datetime.now(UTC),
        served_tier="fast",
        reference_tier="top",
        query_type="unknown",
        targets=(),
        state="sampled",
        request_body=json.dumps(body),
        prompt="So?",
        dialect=dialect,
        native_headers={"anthropic-beta": "b-1"} if dialect == "anthropic.messages" else {},
    )


def target(tier):
    return Target(tier=tier, repeat=0, pi=0.1)


async def test_an_anthropic_request_goes_natively_to_anthropic_and_translated_elsewhere(mirror, provider):
    asked = sample("anthropic.messages")
    native = await mirror.ask(mirror.plan(target("top"), asked))
    other = await mirror.ask(mirror.plan(target("fast"), asked))
    assert [(a.outcome, a.completion, a.finish_reason) for a in (native, other)] == [("ok", TEXT, "stop")] * 2
    assert [a.model for a in (native, other)] == ["claude" + MODEL_SUFFIX, "gpt" + MODEL_SUFFIX]
    assert native.cost_usd == other.cost_usd == Decimal("0.00002")
    first, second = provider.seen
    assert (first.path, second.path) == ("/v1/messages", "/v1/chat/completions")
    assert first.headers["anthropic-beta"] == "b-1"
    assert first.headers["x-api-key"] == "sk-shadow"
    assert "anthropic-beta" not in second.headers
    assert second.headers["authorization"] == "Bearer sk-shadow"
    assert (first.fields["messages"], first.fields["system"], first.fields["max_tokens"]) == (TURNS, "Be brief.", 1024)
    assert "stream" not in first.fields
    assert [message["role"] for message in second.fields["messages"]] == ["system", "user", "assistant", "tool", "user"]
    assert second.fields["max_tokens"] == 1024


async def test_an_openai_request_is_mirrored_to_anthropic(mirror, provider):
    body = {"system": None, "messages": [{"role": "user", "content": "So?"}], "max_tokens": 5, "n": 3}
    answer = await mirror.ask(mirror.plan(target("top"), sample("openai.chat", **body)))
    assert (answer.outcome, answer.completion) == ("ok", TEXT)
    assert provider.seen[0].fields["max_tokens"] == 5


async def test_what_cannot_be_said_is_an_outcome_and_nobody_is_asked(mirror, provider):
    answer = await mirror.ask(mirror.plan(target("fast"), sample("anthropic.messages", **THINKING)))
    assert (answer.outcome, answer.cost_usd) == ("unsupported", 0)
    assert not provider.seen


async def test_a_limit_leaves_room_for_the_thinking_that_was_asked_for(mirror, provider):
    call = mirror.plan(target("top"), sample("anthropic.messages", **THINKING))
    assert call.body["max_tokens"] == 3024
    assert (await mirror.ask(call)).completion == TEXT


@pytest.mark.parametrize(("tier", "model"), [("fast", "gpt"), ("top", "claude")])
async def test_a_bad_body_and_a_status_are_outcomes_in_either_dialect(mirror, provider, tier, model):
    provider.then(model, status(200, b"<html>"), status(200, b"{}"), status(529))
    outcomes = [(await mirror.ask(mirror.plan(target(tier), sample("anthropic.messages")))).outcome for _ in range(3)]
    assert outcomes == ["bad_body", "bad_body", "http_529"]


def test_judges_see_the_question_of_either_dialect():
    asked = question_of(sample("anthropic.messages").request_body, "anthropic.messages")
    assert asked.prompt == "So?"
    assert asked.context == "Be brief.\n\nHow warm is it?\n\n18"
    schema = {"type": "object"}
    body = json.dumps({"messages": TURNS, "output_config": {"format": {"type": "json_schema", "schema": schema}}})
    assert question_of(body, "anthropic.messages").schema == schema
    assert question_of("[1]", "anthropic.messages").prompt == ""


async def test_a_judge_that_speaks_openai_is_answered_by_anthropic(mirror, provider):
    settings = mirror._settings.providers["a"]
    async with httpx.AsyncClient(transport=AnthropicTransport(settings, "sk-judge")) as client:
        asked = {
            "model": "claude",
            "messages": [{"role": "user", "content": "Good?"}],
            "temperature": 0,
            "max_tokens": 9,
        }
        answer = (await client.post("http://judge/chat/completions", json=asked)).json()
        assert answer["choices"][0]["message"]["content"] == TEXT
        assert answer["usage"]["prompt_tokens"] == 10
        assert provider.seen[0].headers["x-api-key"] == "sk-judge"
        provider.always("claude", status(429, {"error": {"message": "Later."}}, {"retry-after": "7"}))
        refused = await client.post("http://judge/chat/completions", json=asked)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
        assert refused.json()["error"]["message"] == "Later."
        provider.always("claude", status(200, b"<html>"))
        assert (await client.post("http://judge/chat/completions", json=asked)).content == b"<html>"
