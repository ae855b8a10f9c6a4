"""Are numbers, final answers and sentences read as a person would read them?"""

from __future__ import annotations

import math
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.final import final_answer
from judges.loose_json import find_json
from judges.quantities import Quantity, quantities, same_quantity, to_quantity
from judges.text import clean, clip, normalise, same_text, sentences


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1,200", 1200, ""),
        ("$70,000.", 70000, "usd"),
        ("6 miles per hour", 6, ""),
        ("25%", 25, "percent"),
        ("25 percent", 25, "percent"),
        ("1/2", 0.5, ""),
        ("2 1/2 cups", 2.5, ""),
        (r"\frac{3}{4}", 0.75, ""),
        (r"\$5{,}000", 5000, "usd"),
        ("-5", -5, ""),
        ("−5", -5, ""),
        ("about 3.5 million", 3.5e6, ""),
        ("twenty-five eggs", 25, ""),
        ("one hundred and five", 105, ""),
        ("£5", 5, "gbp"),
        ("50 cents", 50, "cent"),
        ("1.5k", 1500, ""),
        ("1e5", 1e5, ""),
        ("12\u202f345", 12345, ""),
    ],
)
def test_a_short_answer_states_one_quantity(text: str, value: float, unit: str) -> None:
    found = to_quantity(text)
    assert found is not None
    assert math.isclose(found.value, value)
    assert found.unit == unit


@pytest.mark.parametrize("text", ["3 to 5", "no idea", "", "12/25/2023"])
def test_several_numbers_or_none_are_no_single_quantity(text: str) -> None:
    assert to_quantity(text) is None


def test_an_ordinal_and_a_name_with_a_letter_are_no_quantity() -> None:
    assert quantities("the 20th century") == []
    assert [q.value for q in quantities("762 M&Ms")] == [762]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("$5", "5", True),
        ("25%", "0.25", True),
        ("50 cents", "$0.50", True),
        ("33.33", "33.3", True),
        ("0.5", "0.48", False),
        ("$5", "£5", False),
        ("1,000", "1000.00", True),
        ("100", "101", False),
        ("-5", "5", False),
    ],
)
def test_quantities_are_compared_by_meaning_both_ways(one: str, other: str, same: bool) -> None:
    left, right = to_quantity(one), to_quantity(other)
    assert left is not None
    assert right is not None
    assert same_quantity(left, right) is same
    assert same_quantity(right, left) is same


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from(["", "usd", "percent", "cent"]))
def test_a_quantity_is_the_same_as_itself(value: float, unit: str) -> None:
    quantity = Quantity(value=value, unit=unit, start=0, end=1)
    assert same_quantity(quantity, quantity)


@pytest.mark.parametrize(
    ("completion", "text", "source"),
    [
        ("We add 2 and 3.\n#### 5\n", "5", "marked"),
        (r"So it is \boxed{\frac{1}{2}} in all.", r"\frac{1}{2}", "marked"),
        ('{"reasoning": "2 + 3", "answer": "5"}', "5", "field"),
        ('Here you are:\n```json\n{"reasoning": "2 + 3", "answer": 5}\n```\nGood luck!', "5", "field"),
        ('{"reasoning": "2 +\n3", "answer": "5"}', "5", "field"),
        ('{"reasoning": "it was "quoted" badly", "answer": "5"', "5", "field"),
        ('{"reasoning": "a", "answer": "5",}', "5", "field"),
        ("{'reasoning': 'a', 'answer': '5'}", "5", "field"),
        ("First this. Then that.\n**Answer:** 42", "42", "phrase"),
        ("The final answer is: Paris", "Paris", "phrase"),
        ("<think>maybe 7</think>Five.", "Five.", "whole"),
    ],
)
def test_the_final_answer_is_cut_out(completion: str, text: str, source: str) -> None:
    found = final_answer(completion)
    assert (found.text, found.source) == (text, source)


def test_an_object_that_is_data_is_no_wrapper() -> None:
    found = final_answer('{"name": "Ann", "age": 5}')
    assert found.source == "whole"
    assert found.fields == {"name": "Ann", "age": 5}


def test_json_nested_too_deep_is_given_up_quickly() -> None:
    started = time.perf_counter()
    assert find_json("[" * 20_000) is None
    assert time.perf_counter() - started < 2


def test_sentences_end_at_stops_and_line_breaks_but_not_at_initials() -> None:
    assert sentences("Mr. Smith met J. Doe. They left!\nLater") == ["Mr. Smith met J. Doe.", "They left!", "Later"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("  Paris. ", "paris", True),
        ("“Paris”", '"Paris"', True),
        ("5", "-5", False),
        ("C", "C++", False),
        ("", "", False),
    ],
)
def test_same_text_forgives_typography_only(one: str, other: str, same: bool) -> None:
    assert same_text(one, other) is same


def test_control_format_and_surrogate_characters_are_dropped() -> None:
    assert clean("a\x00b\u200bc\ud800d\u202ee") == "abcde"
    assert normalise("Ｆｕｌｌ Wídth!") == "full width"


def test_every_unseen_character_is_dropped_and_every_other_one_kept() -> None:
    kinds = {chr(code): unicodedata.category(chr(code)) for code in range(0xF0000)}
    seen = [c for c, kind in kinds.items() if kind not in {"Cc", "Cf", "Cs", "Co", "Cn"} or c == "\t"]
    unseen = [c for c, kind in kinds.items() if kind in {"Cc", "Cf", "Cs", "Co"} and c not in "\n\t"]
    assert all(clean("\n".join(seen)).split("\n"))
    assert clean("".join(unseen)) == ""


@given(st.text(max_size=300), st.integers(min_value=10, max_value=100))
def test_a_clipped_text_keeps_its_ends_and_its_limit(text: str, limit: int) -> None:
    short = clip(text, limit)
    assert len(short) <= limit
    assert text.startswith(short[: limit // 2])
    if len(text) > limit:
        assert text.endswith(short[-limit // 4 :])


@given(st.text(alphabet=st.characters(codec=None), max_size=400))
def test_reading_never_raises(text: str) -> None:
    found = final_answer(text)
    quantities(text)
    to_quantity(text)
    sentences(text)
    normalise(found.text)
