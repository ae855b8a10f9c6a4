"""Does the structured judge compare meaning, and keep quiet where it can't?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from judges.choices import options, picked
from judges.contracts import Comparison, Judgment
from judges.fields import compare_fields
from judges.structured import StructuredJudge


def judged(answer: str, reference: str | None, prompt: str = "", **more: Any) -> Judgment:
    comparison = Comparison(prompt=prompt, answer=answer, reference=reference, **more)
    return asyncio.run(StructuredJudge().judge([comparison]))[0]


SUM = "Ann has 3 apples and buys 4. How many apples does she have?"
QUIZ = "Which planet is the largest?\nA) Mars\nB) Jupiter\nC) Venus\nD) Saturn\nAnswer with the letter."
ROUTE = "Classify the message as one of: billing, shipping, technical. Message: my parcel is late"
EXTRACT = "Extract name and total as JSON."


@pytest.mark.parametrize(
    ("answer", "reference", "verdict"),
    [
        ("3 + 4 = 7. #### 7", "She has 7 apples.", "accept"),
        ("Seven.", "#### 7", "accept"),
        ("She has 8 apples.", "She has 7 apples.", "reject"),
        ('{"reasoning": "3+4", "answer": "7 apples"}', '```json\n{"reasoning": "sum", "answer": 7}\n```', "accept"),
        ('{"reasoning": "3+4", "answer": "8"}', '{"reasoning": "3+4", "answer": "7"}', "reject"),
        ("I can't tell.", "#### 7", "reject"),
    ],
)
def test_final_numbers_are_compared(answer: str, reference: str, verdict: str) -> None:
    assert judged(answer, reference, SUM, query_type="math").verdict == verdict


def test_a_number_outside_arithmetic_is_read_only_where_it_is_the_only_new_one() -> None:
    prompt = "How many Oscars did the 1994 film Forrest Gump win?"
    assert (
        judged("The 1994 film won six Oscars.", "It won 6 Oscars in 1995, of 13 nominations.", prompt).verdict
        == "abstain"
    )
    assert judged("The 1994 film won six Oscars.", "The 1994 film won 6 Oscars.", prompt).verdict == "accept"
    assert judged("The 1994 film won five Oscars.", "The 1994 film won 6 Oscars.", prompt).verdict == "reject"


def test_numbers_of_the_question_are_no_answer_to_it() -> None:
    prompt = "What was the profession of Paul Strand (1890 - 1976)?"
    assert judged("Photographer", "Paul Strand (1890 - 1976) was a photographer.", prompt).verdict == "abstain"


def test_agreement_in_the_working_breaks_ties_without_crossing_the_middle() -> None:
    reference = "2 * 6 = 12 and 12 + 5 = 17. #### 17"
    alike = judged("6 * 2 = 12, then 12 + 5 = 17. #### 17", reference, SUM, query_type="math").score
    other = judged("34 / 2 = 17. #### 17", reference, SUM, query_type="math").score
    near = judged("2 * 6 = 12 and 12 + 5 = 18. #### 18", reference, SUM, query_type="math").score
    far = judged("99 - 1 = 98. #### 98", reference, SUM, query_type="math").score
    assert alike is not None
    assert other is not None
    assert near is not None
    assert far is not None
    assert alike > other > 0.5 > near > far


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("B", "accept"),
        ("(B) Jupiter", "accept"),
        ("The answer is B.", "accept"),
        ("Jupiter", "accept"),
        ("C", "reject"),
        ("A, B, C, D", "abstain"),
    ],
)
def test_an_option_is_its_letter_or_its_text(answer: str, verdict: str) -> None:
    assert judged(answer, "B) Jupiter", QUIZ).verdict == verdict


def test_options_have_to_run_without_a_gap() -> None:
    assert options(QUIZ) == {"A": "Mars", "B": "Jupiter", "C": "Venus", "D": "Saturn"}
    assert options("Plan A. is good. Plan C. is bad.") == {}
    assert picked("It is Saturn, clearly", options(QUIZ)) == "D"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("Shipping", "accept"), ("Label: shipping", "accept"), ("billing", "reject"), ("not shipping", "abstain")],
)
def test_labels_are_equal_or_not(answer: str, verdict: str) -> None:
    assert judged(answer, "shipping", ROUTE).verdict == verdict


@pytest.mark.parametrize(
    ("answer", "verdict"), [("Yes, it is.", "accept"), ("No.", "reject"), ("It depends on the water.", "abstain")]
)
def test_yes_and_no_are_opposites(answer: str, verdict: str) -> None:
    assert judged(answer, "Yes", "Is the sea salty?").verdict == verdict


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ('{"name": "Ann Lee", "total": 12.5}', "accept"),
        ('```json\n{"Total": "$12.50", "Name": "ann lee"}\n```', "accept"),
        ('{"name": "Ann Lee", "total": 12}', "reject"),
        ('{"name": "Ann Lee"}', "reject"),
        ("Ann Lee paid 12.50.", "reject"),
    ],
)
def test_json_is_compared_field_by_field(answer: str, verdict: str) -> None:
    assert judged(answer, '{"name": "Ann Lee", "total": 12.5}', EXTRACT).verdict == verdict


def test_a_missing_object_is_a_reject_where_the_schema_asks_for_one() -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    assert judged("Ann Lee", '{"name": "Ann Lee"}', EXTRACT, schema=schema).verdict == "reject"


def test_more_equal_fields_score_higher_among_rejects() -> None:
    reference = '{"a": 1, "b": 2, "c": 3, "d": 4}'
    one_wrong = judged('{"a": 1, "b": 2, "c": 3, "d": 5}', reference, EXTRACT)
    all_wrong = judged('{"a": 9, "b": 9, "c": 9, "d": 9}', reference, EXTRACT)
    assert one_wrong.verdict == all_wrong.verdict == "reject"
    assert (one_wrong.score or 0) > (all_wrong.score or 0)


def test_prose_in_a_field_is_left_to_others() -> None:
    one = {"id": 1, "note": "the customer was very unhappy with the late delivery of the goods"}
    other = {"id": 1, "note": "goods came late, and that made the person who had ordered them rather cross"}
    found = compare_fields(one, other)
    assert found.doubtful == ("note",)
    assert found.wrong == ()


def test_a_remark_beside_equal_plain_fields_does_not_decide_but_prose_alone_is_not_judged() -> None:
    reference = '{"city": "Lyon", "nights": 5, "room": "748", "note": "A confirmed hotel stay."}'
    remark = '{"city": "Lyon", "nights": 5, "room": "748", "note": "Nothing is left to do for the guest."}'
    assert judged(remark, reference, EXTRACT).verdict == "accept"
    assert judged(remark.replace("Lyon", "Lyn"), reference, EXTRACT).verdict == "reject"
    assert judged('{"summary": "All went well."}', '{"summary": "It was a failure."}', EXTRACT).verdict == "abstain"


def test_fields_nobody_asked_for_do_not_count() -> None:
    prompt = "Return name and total as JSON."
    extra = judged('{"name": "Ann", "total": 3, "mood": "good"}', '{"name": "Ann", "total": 3}', prompt)
    schema = {"type": "object", "properties": {"name": {}, "total": {}}}
    by_schema = judged(
        '{"name": "Ann", "total": 3, "mood": "good"}', '{"name": "Ann", "total": 3}', "Go", schema=schema
    )
    assert extra.verdict == by_schema.verdict == "accept"
    assert judged('{"name": "Ann", "mood": "good"}', '{"name": "Ann", "total": 3}', prompt).verdict == "reject"


def test_dates_and_codes_are_equal_to_the_digit() -> None:
    assert compare_fields({"d": "2062-01-03"}, {"d": "2026-01-03"}).wrong == ("d",)
    assert compare_fields({"d": "26 July"}, {"d": "July 26"}).wrong == ()


@pytest.mark.parametrize(
    ("prompt", "answer", "reference", "verdict"),
    [
        ("Choose one of: neutral, negative, positive.", "Neutral", "The best fitting label is **neutral**.", "accept"),
        (
            "Choose one of: neutral, negative, positive.",
            "negative",
            'No praise here, so I would choose "neutral".',
            "reject",
        ),
        ("Choose one of: neutral, negative, positive.", "neutral or negative", "neutral", "abstain"),
        ("Choose one of: neutral, negative, positive.", "angry", "neutral", "reject"),
        ("Which topic?\nOptions:\n- Home and garden\n- Sports\n\nText: x", "sports", "Label: Sports", "accept"),
        ("Mark it as positive, neutral or negative.", "Positive!", "positive", "accept"),
        ("Which category (spam / ham)? Categories: spam / ham", "ham", "**spam**", "reject"),
    ],
)
def test_labels_that_the_prompt_lists_are_found_in_prose(
    prompt: str, answer: str, reference: str, verdict: str
) -> None:
    assert judged(answer, reference, prompt).verdict == verdict


def test_a_list_of_things_that_is_no_list_of_labels_is_left_alone() -> None:
    assert judged("They said hello.", "They left.", "one of my friends said hello, and left").verdict == "abstain"


def test_order_of_plain_lists_and_empty_values_do_not_matter() -> None:
    assert compare_fields({"tags": ["b", "a"], "x": None}, {"tags": ["a", "b"]}).share == 1.0
    assert compare_fields({"n": -5}, {"n": 5}).wrong == ("n",)
    assert compare_fields({"n": True}, {"n": 1}).wrong == ("n",)


@pytest.mark.parametrize(
    ("answer", "reference"), [("Cats are nice.", "Dogs are nice."), ("", "7"), ("7", None), ("7", " ")]
)
def test_it_abstains_where_nothing_can_be_compared(answer: str, reference: str | None) -> None:
    said = judged(answer, reference)
    assert said.verdict == "abstain"
    assert said.score is None
