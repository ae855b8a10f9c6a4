"""Is a model behind HTTP asked as it wants to be, paid for what it took, and left alone when it fails?"""

from __future__ import annotations

import asyncio
import json
import re
from decimal import Decimal
from typing import Any

import pytest

from judges.chat import CallFailedError
from judges.errors import JudgeUnavailable
from judges.http_model import HttpModel, ModelSettings
from judges.patience import Patience

YES = "Fine.\nVERDICT: ACCEPT 0.90"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def http_model(model: Any, *, patience: Patience | None = None, **more: Any) -> HttpModel:
    given: dict[str, Any] = {
        "base_url": model.base_url,
        "model": "tiny",
        "input_usd_per_mtok": Decimal(3),
        "output_usd_per_mtok": Decimal(30),
        "backoff_seconds": 0.001,
        "timeout_seconds": 5.0,
        "max_retries": 0,
    }
    return HttpModel(ModelSettings(**(given | more)), patience=patience)


async def failure(asked: HttpModel, prompt: str = "p") -> CallFailedError:
    with pytest.raises(CallFailedError) as caught:
        await asked.ask(prompt)
    return caught.value


def body(**more: Any) -> str:
    return json.dumps({"choices": [{"message": {"content": YES}, "finish_reason": "stop"}]} | more)


async def test_a_model_that_keeps_failing_is_left_alone_and_tried_by_one_after_a_pause(model: Any) -> None:
    clock = Clock()
    model.script = lambda _prompt: (500, "{}")
    asked = http_model(model, patience=Patience(failures=3, first_seconds=5, longest_seconds=8, clock=clock))
    for _ in range(3):
        assert str(await failure(asked)) == "status 500"
    assert str(await failure(asked)) == "it kept failing and is not asked for another 5 s"
    assert len(model.requests) == 3
    clock.now += 5.1
    both = await asyncio.gather(asked.ask("p"), asked.ask("p"), return_exceptions=True)
    assert sorted(str(found) for found in both) == ["it kept failing and is not asked for another 5 s", "status 500"]
    assert str(await failure(asked)) == "it kept failing and is not asked for another 8 s"
    clock.now += 8.1
    model.script = lambda _prompt: YES
    assert [(await asked.ask("p")).text for _ in range(2)] == [YES, YES]


async def test_a_provider_that_asks_for_a_long_pause_gets_it_at_once(model: Any) -> None:
    clock = Clock()
    model.script, model.headers = lambda _prompt: (429, '{"error": {"message": "slow down"}}'), "retry-after: 60\r\n"
    asked = http_model(model, max_retries=5, patience=Patience(clock=clock))
    assert str(await failure(asked)) == "status 429: slow down"
    assert "another 60 s" in str(await failure(asked))
    assert len(model.requests) == 1


async def test_nobody_waits_for_an_attempt_that_the_deadline_forbids(model: Any) -> None:
    model.script, model.headers = lambda _prompt: (503, "{}"), "retry-after: 9\r\n"
    async with asyncio.timeout(3):
        assert str(await failure(http_model(model, max_retries=5, deadline_seconds=4.0))) == "status 503"


async def test_a_model_that_refuses_a_field_is_asked_without_it_from_then_on(model: Any) -> None:
    def picky(_prompt: str) -> Any:
        sent = model.requests[-1][1]
        for name in ("max_tokens", "temperature"):
            if name in sent:
                return 400, json.dumps({"error": {"message": f"Unsupported parameter: '{name}'", "param": name}})
        return YES

    model.script = picky
    asked = http_model(model)
    assert [(await asked.ask("p")).text for _ in range(2)] == [YES, YES]
    assert len(model.requests) == 4
    assert model.requests[-1][1]["max_completion_tokens"] == 400
    model.script = lambda _prompt: (400, '{"error": {"message": "temperature and max_tokens, always"}}')
    assert str(await failure(asked)) == "status 400: temperature and max_tokens, always"


@pytest.mark.parametrize("key", ["geheim\n", "gehe\u00efm"])
async def test_a_key_that_no_header_can_hold_is_said_and_not_shown(model: Any, key: str) -> None:
    with pytest.raises(JudgeUnavailable, match="the key") as caught:
        await http_model(model, api_key=key).ask("p")
    assert "gehe" not in str(caught.value)


async def test_an_error_that_repeats_the_key_does_not_pass_it_on(model: Any) -> None:
    model.script = lambda _prompt: (500, '{"error": {"message": "bad key geheim, \\u0000sorry"}}')
    assert str(await failure(http_model(model, api_key="geheim"))) == "status 500: bad key ***, sorry"


@pytest.mark.parametrize(
    "usage",
    [None, [], {}, {"prompt_tokens": 10**30, "completion_tokens": 1}, {"prompt_tokens": -1, "completion_tokens": True}],
)
async def test_a_reply_without_a_bill_costs_what_its_length_says(model: Any, usage: Any) -> None:
    model.script = lambda _prompt: (200, body(usage=usage))
    reply = await http_model(model).ask("x" * 2_999)
    assert reply.cost_usd == (1000 * 3 + (len(YES) // 3 + 1) * 30) / Decimal(1_000_000)


async def test_an_attempt_given_up_unanswered_counts_as_billed_in_full_and_a_refused_connection_as_nothing(
    model: Any,
) -> None:
    model.hang = asyncio.Event()
    in_full = (1000 * 3 + 400 * 30) / Decimal(1_000_000)
    asked = http_model(model, timeout_seconds=0.05, max_retries=1)
    assert (await failure(asked, "x" * 2_999)).cost_usd == 2 * in_full
    assert (await failure(http_model(model, deadline_seconds=0.05), "x" * 2_999)).cost_usd == in_full
    assert (await failure(http_model(model, base_url="http://127.0.0.1:9/v1"))).cost_usd == 0


@pytest.mark.parametrize(
    ("message", "finish_reason", "text", "cut_off"),
    [
        ({"content": [{"type": "thinking", "text": "no"}, {"type": "text", "text": YES}]}, "stop", YES, False),
        ({"content": YES}, "content_filter", YES, True),
        ({"content": None, "refusal": "no"}, "stop", "", False),
        ({"content": 7}, ["length"], "", False),
    ],
)
async def test_a_reply_is_its_text_and_whether_that_is_all(
    model: Any, message: Any, finish_reason: Any, text: str, cut_off: bool
) -> None:
    model.script = lambda _prompt: (200, body(choices=[{"message": message, "finish_reason": finish_reason}]))
    reply = await http_model(model).ask("p")
    assert (reply.text, reply.cut_off) == (text, cut_off)


@pytest.mark.parametrize("garbage", ["[" * 100_000, '"' + "x" * 5_000_000 + '"', "\x00", "[]", '{"usage": 1e999'])
async def test_garbage_is_a_failed_call(model: Any, garbage: str) -> None:
    model.script = lambda _prompt: (200, garbage)
    assert re.match("the reply is not a JSON object", str(await failure(http_model(model))))
