"""Does the structured judge read formulas, printed values, code, dates, lists and names as a person would?"""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.arithmetic import check_sums, evaluate
from judges.code import code_of, same_code
from judges.contracts import Comparison, Judgment
from judges.dates import dates, same_date
from judges.entities import same_name
from judges.fields import compare_fields
from judges.final import final_answer
from judges.lists import items_of, same_items
from judges.literals import UNREAD, literal_of, same_literal
from judges.mathematics import same_mathematics
from judges.structured import StructuredJudge

OUTPUT = (
    "def f(a):\n    return a[::-1]\nassert f('abc') == ??\nComplete the assertion with a literal containing the output."
    ' Answer as JSON: {"reasoning": "...", "answer": "..."}'
)
AREA = 'Find the exact area. Answer as JSON: {"reasoning": "...", "answer": "..."}'
ADD = "Write a Python function that adds two numbers."


def judged(prompt: str, answer: str, reference: str, query_type: str | None = None) -> Judgment:
    comparison = Comparison(prompt=prompt, answer=answer, reference=reference, query_type=query_type)
    return asyncio.run(StructuredJudge().judge([comparison]))[0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (r"\frac{1}{2}", "0.5", True),
        (r"\dfrac12", r"$\boxed{\frac{2}{4}}$", True),
        (r"2\sqrt{3}", r"\sqrt{12}", True),
        (r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt 3}", True),
        (r"3\frac{1}{2}", "7/2", True),
        (r"3\pi", "9.42477796076938", True),
        (r"3\pi", "3", False),
        ("x^2+2x+1", "(x+1)^2", True),
        (r"\sin^2 x + \cos^2 x", "1", True),
        ("y = 2x + 3", "2x - y + 3 = 0", True),
        ("y = 2x + 3", "y = 2x - 3", False),
        ("x = 5", "5", True),
        ("(1, 2]", r"\left(1, 2\right]", True),
        ("(1, 2]", "[1, 2]", False),
        ("(1, 2)", "(2, 1)", False),
        (r"\{3, 1, 2\}", "{1, 2, 3}", True),
        ("2, -3", r"-3 \text{ and } 2", True),
        (r"1 \pm \sqrt{2}", r"1 - \sqrt{2}, 1 + \sqrt{2}", True),
        (r"(-\infty, 3) \cup (5, \infty)", r"(5, \infty) \cup (-\infty, 3)", True),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", r"\begin{bmatrix}1&2\\3&4\end{bmatrix}", True),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", r"\begin{bmatrix}1&2\\3&5\end{bmatrix}", False),
        (r"90^\circ", "90", True),
        (r"12 \text{ cm}", "12", True),
        ("1011_2", r"1011_{2}", True),
        (r"\log_2 8", "3", True),
        (r"\binom{5}{2}", "10", True),
        ("odd", "even", None),
        (r"\frac{1}{0}", "1", None),
        ("9^{9^{9^{9}}}", "1", None),
    ],
)
def test_mathematics_is_compared_by_value(one: str, other: str, same: bool | None) -> None:
    assert same_mathematics(one, other) is same
    assert same_mathematics(other, one) is same


@pytest.mark.parametrize(
    ("answer", "reference", "verdict"),
    [
        (r'{"reasoning": "x", "answer": "\frac{1}{2}"}', r'{"reasoning": "y", "answer": "\\frac{2}{4}"}', "accept"),
        (r'{"reasoning": "x", "answer": "\frac{1}{3}"}', r'{"reasoning": "y", "answer": "\\frac{2}{4}"}', "reject"),
        (r"Thus it is $\boxed{12\sqrt{3}}$.", r'{"reasoning": "y", "answer": "12\\sqrt{3}"}', "accept"),
        ('{"reasoning": "x", "answer": "25%"}', '{"reasoning": "y", "answer": "0.25"}', "accept"),
    ],
)
def test_final_formulas_are_found_and_compared(answer: str, reference: str, verdict: str) -> None:
    assert judged(AREA, answer, reference, "math").verdict == verdict


def test_latex_inside_json_keeps_its_backslashes() -> None:
    assert final_answer(r'{"reasoning": "\theta", "answer": "\frac{1}{2}"}').text == r"\frac{1}{2}"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ('{"reasoning": "x", "answer": "cba"}', "accept"),
        ('{"reasoning": "x", "answer": "\'cba\'"}', "accept"),
        ('{"reasoning": "x", "answer": "f(\'abc\') == \'cba\'"}', "accept"),
        ('{"reasoning": "x", "answer": "Cba"}', "reject"),
        ('{"reasoning": "x", "answer": ["c", "b", "a"]}', "reject"),
    ],
)
def test_what_code_prints_is_compared_to_the_letter(answer: str, verdict: str) -> None:
    assert judged(OUTPUT, answer, '{"reasoning": "y", "answer": "\'cba\'"}').verdict == verdict


def test_values_are_compared_by_type() -> None:
    assert same_literal(literal_of("[1, 2.0]"), literal_of("(1, 2)"))
    assert same_literal(literal_of('{"a": true}'), literal_of("{'a': True}"))
    assert not same_literal(literal_of("[1]"), literal_of("['1']"))
    assert not same_literal(True, 1)
    assert not same_literal(literal_of("[1, 2]"), literal_of("[2, 1]"))
    assert same_literal(literal_of("{1, 2}"), literal_of("{2, 1}"))
    assert literal_of("open('x')") is UNREAD
    assert literal_of("[" * 10_000) is UNREAD


def test_the_same_program_under_other_names_is_accepted_a_slip_rejected_and_another_one_left_open() -> None:
    mine = "```python\ndef add(a, b):\n    return a + b\n```"
    renamed = '```python\ndef add(x: int, y: int) -> int:\n    """Sum."""\n    # easy\n    return x + y\n```'
    assert judged(ADD, mine, renamed).verdict == "accept"
    assert judged(ADD, mine.replace("a + b", "a - b"), renamed).verdict == "reject"
    assert judged(ADD, mine.replace("a + b", "sum((a, b))"), renamed).verdict == "abstain"
    assert judged(ADD, mine.replace("a + b", "b + a"), renamed).verdict == "abstain"
    assert judged(ADD, mine.replace("\n```", "\n\nprint(add(1, 2))\n```"), renamed).verdict == "accept"
    assert judged(ADD, mine.replace("(a, b):", "(a, b)"), renamed).verdict == "reject"


def test_names_that_the_program_does_not_bind_are_kept() -> None:
    one, other = code_of("```python\nx = sorted(y)\n```"), code_of("```python\nx = reversed(y)\n```")
    assert one is not None
    assert other is not None
    assert same_code(one, other) is None
    assert same_code(one, one) is True


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("May 14, 2021", "2021-05-14", True),
        ("the 14th of May 2021", "14/05/2021", True),
        ("3/4/2020", "April 3, 2020", True),
        ("3/4/2020", "March 4, 2020", True),
        ("3/4/2020", "March 5, 2020", False),
        ("May 2021", "14 May 2021", True),
        ("12 June", "June 13", False),
    ],
)
def test_dates_are_the_same_in_any_form(one: str, other: str, same: bool) -> None:
    assert same_date(dates(one)[0], dates(other)[0]) is same


def test_a_question_for_a_date_compares_dates() -> None:
    prompt = "When was the Battle of Hastings?"
    assert judged(prompt, "It was fought on 14 October 1066.", "October 14, 1066").verdict == "accept"
    assert judged(prompt, "It was fought on 15 October 1066.", "October 14, 1066").verdict == "reject"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("J. R. R. Tolkien", "John Ronald Reuel Tolkien", True),
        ("Tolkien", "J.R.R. Tolkien", True),
        ("U.S.A.", "United States of America", True),
        ("The Beatles", "beatles", True),
        ("Paris", "London", False),
        ("Henry VIII", "Henry VII", False),
        ("Apollo 11", "Apollo 13", False),
        ("George Bush", "George Washington", None),
    ],
)
def test_names_are_compared_without_dress(one: str, other: str, same: bool | None) -> None:
    assert same_name(one, other) is same
    assert same_name(other, one) is same


@pytest.mark.parametrize(
    ("prompt", "answer", "verdict"),
    [
        ("Name three primary colours.", "red, blue and yellow", "accept"),
        ("Name three primary colours.", "1. Red\n2. Green\n3. Blue", "reject"),
        ("List the three colours in alphabetical order.", "Yellow, Red, Blue", "reject"),
    ],
)
def test_lists_are_sets_unless_an_order_is_asked_for(prompt: str, answer: str, verdict: str) -> None:
    assert judged(prompt, answer, "- Blue\n- Red\n- Yellow").verdict == verdict


def test_items_are_read_from_bullets_commas_and_literals() -> None:
    assert items_of("They are:\n1. **Red**: warm\n2. Blue - cold") == ["Red", "Blue"]
    assert items_of("['a', 'b']") == ["a", "b"]
    assert items_of("A sentence, which goes on and on for rather longer than any item of a list would, ends.") == []
    assert same_items(["1.0", "2"], ["2", "1"], ordered=False) == (True, 2)


def test_sums_that_do_not_come_out_are_seen() -> None:
    assert check_sums("8 * 40 = 320, then 320 / 3 = 106.67 and 2 + 2 = 4").wrong == 0
    assert check_sums("284 - 99 = 185 but $3 x 4 = $13").wrong == 1
    assert check_sums("(1+2)*3=9; 10% = 0.1; x = 5").checked == 1
    assert evaluate("2*(3+4)") == 14
    assert evaluate("1/0") is None
    assert evaluate("7") is None


def test_a_reference_whose_sums_fail_counts_less_against_the_answer() -> None:
    prompt = "Ann has 284 eggs and sells 99. How many are left, and how many after adding 4?"
    clean = judged(prompt, "284 - 99 = 185, 185 + 4 = 189. #### 189", "284 - 99 = 175, 175 + 4 = 179. #### 179", "math")
    slipped = judged(
        prompt, "284 - 99 = 175, 175 + 4 = 179. #### 179", "284 - 99 = 185, 185 + 4 = 189. #### 189", "math"
    )
    assert clean.verdict == slipped.verdict == "reject"
    assert (clean.score or 0) > (slipped.score or 0)


def test_records_may_come_in_another_order_and_changed_types_cost_a_little() -> None:
    records = {"items": [{"name": "Tea", "count": 2}, {"name": "Milk", "count": 1}]}
    turned = {"items": [{"name": "milk", "count": 1}, {"name": "tea", "count": 2}]}
    assert compare_fields(turned, records).wrong == ()
    assert compare_fields(turned, records).share == 1.0
    assert 0.5 < compare_fields({"n": "12"}, {"n": 12}).share < 1.0


@given(st.text(alphabet="0123456789+-*/^(){}[]\\frac sqrt pi,|!_.x=", max_size=80), st.text(max_size=40))
def test_reading_mathematics_never_raises_and_takes_no_time(one: str, other: str) -> None:
    started = time.perf_counter()
    assert same_mathematics(one, other) in {True, False, None}
    assert time.perf_counter() - started < 1
