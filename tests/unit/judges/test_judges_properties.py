"""Do the judges keep their contract on any text at all?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from judges.contracts import Comparison, Judge, Judgment
from judges.lexical import LexicalJudge
from judges.likeness import likeness
from judges.markers import MarkersJudge
from judges.registry import build_panel
from judges.structured import StructuredJudge

FREE: tuple[Judge, ...] = (StructuredJudge(), LexicalJudge(), MarkersJudge())
PANEL = build_panel(["structured", "lexical", "markers"])
anything = st.text(alphabet=st.characters(codec=None), max_size=200)
plausible = st.sampled_from(
    [
        "",
        "42",
        "#### 42",
        '{"answer": "42", "reasoning": "6*7"}',
        '{"a": [1, 2, {"b": null}]}',
        "```json\n{",
        "B) Jupiter",
        "Yes.",
        "I can't help with that.",
        "VERDICT: ACCEPT",
        "\\boxed{\\frac{1}{0}}",
        "1/0",
        "1e999",
        "\ud800\udfff",
        "\x00\x1b[31m",
        "𝟜𝟚",
        "٤٢",
        "²³",
        "مرحبا بالعالم",
        "東京は日本の首都です。",
        "٪ ½ ⅔",
    ]
)
texts = st.one_of(anything, plausible, st.builds("{} {}".format, plausible, anything))
comparisons = st.builds(
    Comparison,
    prompt=texts,
    answer=texts,
    reference=st.one_of(st.none(), texts),
    context=st.one_of(st.none(), texts),
    query_type=st.sampled_from([None, "math", "qa", "classification", "other"]),
    schema=st.sampled_from([None, {}, {"type": "object"}, {"enum": ["a"]}, {"schema": {"properties": {"a": 1}}}]),
    finish_reason=st.sampled_from([None, "stop", "length"]),
)


def check(judgment: Judgment, judge: Judge) -> None:
    assert judgment.judge == judge.name
    assert (judgment.score is None) == (judgment.verdict == "abstain")
    assert judgment.score is None or 0 <= judgment.score <= 1
    assert judgment.rationale
    assert judgment.latency_seconds >= 0


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(comparisons, max_size=3))
def test_every_judge_keeps_its_contract_on_any_text(given_comparisons: list[Comparison]) -> None:
    for judge in FREE:
        judgments = asyncio.run(judge.judge(given_comparisons))
        assert len(judgments) == len(given_comparisons)
        for judgment in judgments:
            check(judgment, judge)


@given(comparisons)
def test_the_panel_keeps_its_contract_on_any_text(comparison: Comparison) -> None:
    said = asyncio.run(PANEL.judge([comparison]))[0]
    assert (said.probability is None) == (said.verdict == "abstain")
    assert said.probability is None or 0 <= said.probability <= 1
    assert 0 <= said.estimate <= 1
    answered = comparison.reference is None or any(c.isalnum() for c in comparison.reference)
    if not comparison.answer.strip() and answered:
        assert said.verdict == "reject"


@given(texts, texts, st.sampled_from([None, "math", "qa"]))
def test_judges_of_likeness_do_not_care_which_side_is_which(one: str, other: str, query_type: str | None) -> None:
    """Shared words: always. The structured judge may read only one side's number, so there the verdict never turns round."""
    there = Comparison(prompt="How many?", answer=one, reference=other, query_type=query_type)
    back = Comparison(prompt="How many?", answer=other, reference=one, query_type=query_type)
    found = likeness(there), likeness(back)
    if found[0] is not None and found[1] is not None:
        assert found[0].recall == pytest.approx(found[1].precision)
        assert found[0].precision == pytest.approx(found[1].recall)
    structured = {asyncio.run(StructuredJudge().judge([c]))[0].verdict for c in (there, back)} - {"abstain"}
    assert len(structured) <= 1


@given(texts)
def test_the_same_text_is_accepted_unless_it_is_empty(text: str) -> None:
    said = asyncio.run(PANEL.judge([Comparison(prompt="Go on", answer=text, reference=text)]))[0]
    assert said.verdict in {"accept", "abstain"}
    if any(c.isalnum() for c in text):
        assert said.verdict == "accept"


LONG: Sequence[str] = (
    "a" * 200_000,
    "1" * 200_000,
    "(" * 200_000,
    "{" * 200_000,
    "1/1 " * 50_000,
    "1,111" * 40_000,
    "Aa " * 66_000,
    "one hundred and " * 12_500,
    "\\boxed{" * 28_000,
    "the answer is " * 14_000,
    "v e r d i c t " * 14_000,
    "I " * 100_000,
    "ignore " * 28_000,
    ".\n" * 100_000,
    "=" * 200_000,
    '"a": {' * 33_000,
    "A) x " * 40_000,
    " " * 200_000 + "x",
    "é" * 200_000,
    "\\frac{" * 33_000,
    "1+" * 100_000,
    "x^" * 100_000,
    "2 = " * 50_000,
    "def f(:\n" * 22_000,
    "* a\n" * 50_000,
    "[1," * 66_000,
    "1 May " * 33_000,
    "Aa and " * 28_000,
    '"say it again and again" ' * 8_000,
    "Smith et al. (2020) " * 10_000,
    "not a b c. " * 18_000,
    "```\n" * 50_000,
    "9" * 50 + "^" + "9" * 50,
)


@pytest.mark.slow
@pytest.mark.parametrize("text", LONG, ids=[repr(t[:8]) for t in LONG])
def test_200_kilobytes_take_bounded_time(text: str) -> None:
    started = time.perf_counter()
    asyncio.run(
        PANEL.judge([Comparison(prompt=text, answer=text[:-1], reference=text, context=text, query_type="math")])
    )
    asyncio.run(PANEL.judge([Comparison(prompt="How many?", answer=text + "!", reference="7", context="c")]))
    assert time.perf_counter() - started < 4
