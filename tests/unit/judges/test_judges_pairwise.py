"""Is a preference believed only where it follows the answer and not its place?"""

from __future__ import annotations

import asyncio
import json
import re
from decimal import Decimal
from typing import Any

import pytest

from judges.contracts import Comparison, Judgment
from judges.errors import JudgeUnavailable
from judges.http_model import HttpModel, ModelSettings
from judges.pairwise import PairwiseJudge, render
from judges.registry import build_panel
from judges.rubric import RubricJudge

PAIR = Comparison(prompt="What is the capital of France?", answer="Berlin", reference="Paris")


def http_model(model: Any, **more: Any) -> HttpModel:
    given: dict[str, Any] = {
        "base_url": model.base_url,
        "model": "tiny",
        "input_usd_per_mtok": Decimal(2),
        "output_usd_per_mtok": Decimal(10),
        "backoff_seconds": 0.001,
        "timeout_seconds": 5.0,
    }
    return HttpModel(ModelSettings(**(given | more)))


async def ask(model: Any, comparison: Comparison = PAIR, **more: Any) -> Judgment:
    return (await PairwiseJudge([http_model(model, **more)]).judge([comparison]))[0]


def answer_is_first(prompt: str) -> bool:
    return re.search(r"FIRST\n\| Berlin\n", prompt) is not None


def says(when_first: str, when_second: str) -> Any:
    """One word where the answer stands first, another one where it stands second."""
    return lambda prompt: f"Reasons.\nVERDICT: {when_first if answer_is_first(prompt) else when_second}"


@pytest.mark.parametrize(
    ("when_first", "when_second", "verdict", "score"),
    [
        ("FIRST", "SECOND", "accept", 0.95),
        ("FIRST", "EQUAL", "accept", 0.9),
        ("EQUAL", "EQUAL", "accept", 0.85),
        ("SECOND", "FIRST", "reject", 0.1),
        ("FIRST", "FIRST", "abstain", None),
        ("SECOND", "SECOND", "abstain", None),
        ("EQUAL", "FIRST", "abstain", None),
    ],
)
async def test_a_verdict_has_to_hold_in_both_orders(
    model: Any, when_first: str, when_second: str, verdict: str, score: float | None
) -> None:
    model.script = says(when_first, when_second)
    said = await ask(model)
    assert (said.verdict, said.score) == (verdict, score)
    assert said.cost_usd == Decimal("0.006")
    assert len(model.requests) == 2


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "FIRST",
        "VERDICT: THIRD",
        "VERDICT: ACCEPT",
        "VERDICT: FIRST\nor not",
        "VERDICT: FIRST\nVERDICT: SECOND",
        "**VERDICT: FIRST**",
    ],
)
async def test_half_a_verdict_is_none_and_still_costs(model: Any, reply: str) -> None:
    model.script = lambda prompt: reply if answer_is_first(prompt) else "VERDICT: SECOND"
    said = await ask(model)
    assert (said.verdict, said.score) == ("abstain", None)
    assert said.rationale == "the model's verdict could not be read"
    assert said.cost_usd == Decimal("0.006")


async def test_the_last_strict_line_counts_whatever_the_reasons_say(model: Any) -> None:
    model.script = lambda prompt: (
        "The first answer is clearly better, VERDICT: FIRST would be my choice.\nVERDICT: "
        + ("SECOND" if answer_is_first(prompt) else "FIRST")
    )
    assert (await ask(model)).verdict == "reject"


async def test_without_a_reference_nobody_is_asked(model: Any) -> None:
    said = await ask(model, Comparison(prompt="Q", answer="A", reference=None))
    assert said.verdict == "abstain"
    assert model.requests == []


async def test_one_order_that_fails_is_an_abstention_that_counts_what_the_other_cost(model: Any) -> None:
    model.script = lambda prompt: (500, "{}") if answer_is_first(prompt) else "VERDICT: SECOND"
    said = await ask(model, max_retries=1)
    assert said.verdict == "abstain"
    assert said.rationale == "unavailable: status 500"
    assert said.cost_usd == Decimal("0.003")
    assert len(model.requests) == 3


async def test_a_reply_cut_off_and_a_body_of_garbage_are_abstentions(model: Any) -> None:
    model.finish_reason = "length"
    model.script = lambda _prompt: "VERDICT: EQUAL"
    assert (await ask(model)).rationale == "the model's reply was cut off"
    model.script = lambda _prompt: (200, "\x00garbage")
    assert (await ask(model)).rationale == "unavailable: the reply is not a JSON object"


async def test_all_attempts_together_have_a_deadline(model: Any) -> None:
    model.hang = asyncio.Event()
    said = await ask(model, timeout_seconds=30.0, deadline_seconds=0.05, max_retries=9)
    assert said.rationale == "unavailable: no reply within 0.05 s in all"


async def test_a_refused_key_makes_the_judge_unavailable(model: Any) -> None:
    model.script = lambda _prompt: (401, "{}")
    with pytest.raises(JudgeUnavailable, match=r"pairwise@2: .* answered 401"):
        await ask(model)


def stated(prompt: str, **more: Any) -> str:
    nonce = re.search(r'exactly "(\w+)"', prompt)
    assert nonce is not None
    return json.dumps({"case": nonce[1], "reasons": "Because.", "verdict": "EQUAL", "score": 0.7} | more)


async def test_with_a_schema_the_verdict_is_an_object_that_names_its_case(model: Any) -> None:
    model.script = stated
    said = await ask(model, output="json_schema")
    assert (said.verdict, said.score) == ("accept", 0.85)
    asked = model.requests[0][1]["response_format"]
    assert asked["json_schema"]["strict"] is True
    assert asked["json_schema"]["schema"]["properties"]["verdict"]["enum"] == ["FIRST", "SECOND", "EQUAL"]
    model.script = lambda prompt: f"<think>Or not?\nVERDICT: FIRST</think>\n```json\n{stated(prompt)}\n```"
    assert (await ask(model, output="json_schema")).verdict == "accept"
    model.script = lambda prompt: stated(prompt).replace("{", '{"verdict": "SECOND", ', 1)
    assert (await ask(model, output="json_schema")).verdict == "abstain", "two verdicts are none"
    model.script = lambda prompt: stated(prompt, verdict="ACCEPT", score=0.9)
    rubric = RubricJudge([http_model(model, output="json_schema")])
    assert (await rubric.judge([PAIR]))[0].verdict == "accept"


@pytest.mark.parametrize(
    "change",
    [
        {"case": "0"},
        {"verdict": "FIRST!"},
        {"score": 2},
        {"score": "1"},
        {"score": True},
        {"reasons": None},
        {"more": 1},
    ],
)
async def test_an_object_of_another_shape_is_no_verdict(model: Any, change: dict[str, Any]) -> None:
    model.script = lambda prompt: stated(prompt, **change)
    assert (await ask(model, output="json_schema")).rationale == "the model's verdict could not be read"
    model.script = lambda _prompt: "[" * 100_000
    assert (await ask(model, output="json_schema")).verdict == "abstain"


async def test_in_a_panel_it_is_asked_last_and_only_where_the_others_left_doubt(model: Any) -> None:
    model.script = says("SECOND", "FIRST")
    panel = build_panel(["pairwise", "structured"], paid={"pairwise": PairwiseJudge([http_model(model)])})
    assert [judge.name.partition("@")[0] for judge in panel.judges] == ["structured", "pairwise"]
    same, unlike = await panel.judge(
        [
            Comparison(prompt="Q", answer="Paris", reference="Paris"),
            Comparison(prompt="Tell me of it", answer="Berlin", reference="The river runs on"),
        ]
    )
    assert same.verdict == "accept"
    assert unlike.verdict == "reject"
    assert len(model.requests) == 2


def test_both_answers_stand_between_fences_in_the_order_asked() -> None:
    one = render(PAIR, answer_first=True, nonce="0123")
    other = render(PAIR, answer_first=False, nonce="0123")
    assert one.index("Berlin") < one.index("Paris")
    assert other.index("Paris") < other.index("Berlin")
    assert one.count("<<<0123 ") == 5
