"""Is a recorded verdict read as it was meant, and left alone where nobody can say?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.parsers import double_brackets, llmbar
from judges.parsers.formats import read_judgement
from judges.parsers.reading import in_terms_of_the_record

NAME_ALONE = ("Vanilla", "Vanilla_NoRules", "Metrics", "Metrics_Reference", "Reference", "GPT-4/Vanilla", "Swap")


@pytest.mark.parametrize("style", NAME_ALONE)
@pytest.mark.parametrize(
    "raw", ["Output (a)", " Output (a)\n", "Output (a).", "**Output (a)**", "Output (a)\n\nIt is shorter."]
)
def test_the_name_alone_is_a_verdict_in_terms_of_the_record(style: str, raw: str) -> None:
    assert llmbar.parse(raw, "ab", style=style) == "A"
    assert llmbar.parse(raw, "ba", style=style) == "B"
    assert llmbar.parse(raw, None, style=style) is None


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("Output (a) is short. Output (b) does what was asked.\n\nTherefore, Output (b) is better.", "B"),
        ("Output (b) is better. Output (a) does not answer.", "B"),
        ("Both are fine. Hence, Output (a) is the better choice.", "A"),
        ("Nobody can say whether Output (a) is better. Therefore, Output (b) is better.", None),
        ("Output (a) is better in style, but Output (b) is better.", None),
        ("Both Output (a) and Output (b) are equally good.", None),
        ("Output (a) provides a concise and accurate", None),
        ("It is not clear that Output (a) is better.", None),
        ("", None),
        (None, None),
    ],
)
def test_reasons_decide_only_where_they_name_one_output(raw: str | None, said: str | None) -> None:
    assert llmbar.parse(raw, "ab", style="GPT-4/CoT") == said
    assert llmbar.parse(raw, "ba", style="Swap_CoT") == {"A": "B", "B": "A", None: None}[said]


def test_where_the_published_rule_contradicts_the_words_nothing_is_read() -> None:
    raw = "Output (b) is better.\n\nOutput (a) does not answer the question."
    found = llmbar.read(raw, "ab", style="PaLM2/CoT")
    assert (found.value, found.published, found.disputed) == (None, "A", True)
    assert llmbar.read(raw, "ab", style="GPT-4/CoT").value == "B"


@pytest.mark.parametrize(
    ("raw", "grade"),
    [
        ("7", 7.0),
        (" 9\n", 9.0),
        ("Rating: 6", 6.0),
        ("8.5", 8.5),
        ("7/10", None),
        ("between 6 and 7", None),
        ("-3", None),
        ("", None),
    ],
)
def test_a_rating_is_one_number_and_nothing_else(raw: str, grade: float | None) -> None:
    assert llmbar.parse(raw, None, style="ChatGPT/Rating") == grade


@pytest.mark.parametrize(
    ("raw", "grade"),
    [
        ("It is right.\n\nRating: [[8]]", 8.0),
        ("I would rate the response as a [[9.5]] out of 10. It could be shorter.", 9.5),
        ('I rate it as follows: "Rating: [[10]]".', 10.0),
        ("Rating: [[8]] for style.\nRating: [[3]]", None),
        ("Rating: [[11]]", None),
        ("Rating: [[1000]]", None),
        ("matrix = [[3]]\nprint(matrix) shows the error, and the code goes on and on", None),
        ("The assistant's answer: 8/10.", None),
        ("Rating: [8]", None),
        ("$ERROR$", None),
        (None, None),
    ],
)
def test_a_grade_stands_in_double_brackets_and_is_one(raw: str | None, grade: float | None) -> None:
    assert double_brackets.parse(raw, None) == grade


def test_a_matrix_before_the_rating_makes_the_first_match_disputed() -> None:
    found = double_brackets.read("x = [[3]]\nThe code prints it.\nRating: [[8]]", None)
    assert (found.value, found.published) == (None, 3.0)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("My verdict: [[A]]", "A"),
        ("[[B>>A]]", "B"),
        ("[[A>B]]", "A"),
        ("[[C]]", "tie"),
        ("[[A=B]]", "tie"),
        ("[[A]] or [[B]]", None),
    ],
)
def test_a_choice_in_double_brackets_follows_the_order(raw: str, said: str | None) -> None:
    assert double_brackets.parse(raw, "ab") == said
    assert double_brackets.parse(raw, "ba") == {"A": "B", "B": "A", "tie": "tie", None: None}[said]
    assert double_brackets.parse(raw, None) == (said if said == "tie" else None)


@pytest.mark.parametrize(
    ("judge", "raw", "value"),
    [
        ("GPT-4/Vanilla", "Output (b)", "B"),
        ("gpt-4", "Rating: [[2]]", 2.0),
        ("somebody", "Therefore, Output (a) is better.", "A"),
        ("somebody", "Output (a) comes to mind", None),
        ("x/Rating_NoRules", "4", 4.0),
    ],
)
def test_the_judges_name_says_the_format(judge: str, raw: str, value: object) -> None:
    assert read_judgement(raw, "ab", judge=judge).value == value


@given(st.text(alphabet=st.sampled_from("Output (ab)[]\nis better.0123456789AB>=Rating:"), max_size=120))
def test_turning_the_order_turns_the_verdict_and_nothing_else(raw: str) -> None:
    for judge in ("GPT-4/CoT", "PaLM2/CoT", "x/Vanilla", "x/Swap", "gpt-4"):
        one, other = (read_judgement(raw, order, judge=judge).value for order in ("ab", "ba"))
        assert other == in_terms_of_the_record(one, "ba")
