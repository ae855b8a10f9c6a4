"""What is read of judges that keep to no published format: every way to say a verdict, and what only looks like one."""

from __future__ import annotations

import random
import time

import pytest

from judges.parsers.formats import read_judgement
from judges.parsers.reading import Order, Value

CHOICES = [
    ("2", "B"),
    ("Therefore, Output (a) is better as it answers more precisely.", "A"),
    ("Final verdict: A", "A"),
    ("**Final Verdict:** **B**", "B"),
    ("Final verdict: Response B is better because it is right", "B"),
    ("Winner: Assistant A", "A"),
    ("winner: 2", "B"),
    ("The winner is Model 1.", "A"),
    ("My final choice is B.", "B"),
    ('```json\n{"reasoning": "A is ok", "winner": "B"}\n```', "B"),
    ('{"verdict": "tie", "why": "x"}', "tie"),
    ('Here:\n```json\n{"verdict":"A"}\n```\nHope it helps', "A"),
    ('{"winner": "A", "winner": "B"}', None),
    ("Verdict: A\nOn reflection, no.\nFinal verdict: B", "B"),
    ("Verdict: A\nVerdict: B", None),
    ("Response A is better in style.", None),
    ("Response A is better than Response B.", "A"),
    ("**Response B** is clearly the better response.", "B"),
    ("I prefer Answer B.", "B"),
    ("I would choose the first response.", "A"),
    ("The second answer is better.", "B"),
    ("Verdict: A or B", None),
    ("Verdict: A/B", None),
    ("Winner: A, B", None),
    ("Verdict: A is worse", None),
    ("A", "A"),
    ("**B**", "B"),
    ("Output (a)", "A"),
    ("(b)", "B"),
    ("Tie", "tie"),
    ("Reasons...\n\nB", "B"),
    ("A good answer", None),
    ("Whether Response A is better is unclear.", None),
    ("Both responses are equally good.", "tie"),
    ("It's a tie.", "tie"),
    ("The correct answer is B.", None),
    ("Response A: good\nResponse B: better", None),
    ("My final verdict is: [[A>>B]]", "A"),
    ("[[ B ]]", "B"),
    ("x = frame[[A]]\nFinal verdict: [[B]]", "B"),
    ("[[Assistant B]]", "B"),
    ("[[TIE]]", "tie"),
    ("[[1]]", None),
    ("Verdict: A>B", "A"),
    ("Verdict: B >> A", "B"),
    ("Verdict: A = B", "tie"),
    ("Decision: Output (b).", "B"),
    ("better response: A", "A"),
    ("Verdict: A very good answer was given", None),
    ("If Response A is better, say [[A]]", "A"),
    ("Assistant A wins overall.", "A"),
    ("Final decision - B", None),
    ("Judgement = A", "A"),
    ("Preference: (a)", "A"),
    ("winner: neither", None),
    ("Response A is not better.", None),
    ("I don't think Response A is better.", None),
    ("Response A is better. Response B is better.", None),
    ("Final verdict: not A", None),
    ("The verdict is not A but B", None),
    ("Verdict: B (A is too long)", "B"),
    ("Verdict: <A>", None),
    ("Verdict: first", "A"),
    ("Verdict: the second response", "B"),
    ("Verdict: 1.5", None),
    ("Verdict: 10", None),
]
GRADES = [
    ("2", 2.0),
    ("Score: 7", 7.0),
    ("**Score:** 8/10", 8.0),
    ("Final score: 7.5 out of 10", 7.5),
    ("Rating: 9. It is fine", 9.0),
    ("7", 7.0),
    ("7/10", 7.0),
    ("8.5", 8.5),
    ("Score: 85", None),
    ("Score: 85/100", 85.0),
    ("Score: 7 or 8", None),
    ("Score: 7-8", None),
    ("Accuracy: 8\nScore: 7", 7.0),
    ("Score: 6\nScore: 7", None),
    ("Style score: 6\nOverall score: 7", 7.0),
    ('{"score": 7, "reason": "ok"}', 7.0),
    ('```json\n{"rating": "8/10"}\n```', 8.0),
    ("Score: 11", None),
    ("Score: 7%", None),
    ("The score is 7.", 7.0),
    ("I give it a score of 7.", 7.0),
    ("It misses the perfect score of 10.", None),
    ("score: -3", None),
    ("Rating: [[8]]", 8.0),
    ("Rating: [[ 8/10 ]]", 8.0),
    ("The assistant's answer: 8/10.", None),
    ("Score: 7e3", None),
    ("Score: 1,000", None),
    ("on a scale from 1 to 10, score: 7", None),
    ("Score: 4/5", 4.0),
    ("Score: 6/5", None),
    ("Score: 7 for style", None),
    ("Score:7\nFinal verdict: A", None),
    ("Rating: five", None),
    ("Tie", "tie"),
]


def value(raw: str, order: Order | None) -> Value | None:
    return read_judgement(raw, order, judge="somebody").value


@pytest.mark.parametrize(("raw", "said"), CHOICES)
def test_a_choice_is_read_in_the_order_in_which_the_judge_saw_the_two(raw: str, said: str | None) -> None:
    turned = {"A": "B", "B": "A", "tie": "tie", None: None}[said]
    assert (value(raw, "ab"), value(raw, "ba")) == (said, turned)
    assert value(raw, None) in (None, "tie") or raw in ("2", "[[1]]"), "a side without an order is none"


@pytest.mark.parametrize(("raw", "grade"), GRADES)
def test_a_grade_is_read_where_one_answer_was_graded(raw: str, grade: Value | None) -> None:
    assert value(raw, None) == grade


NAMES = {
    "A": ("A", "(a)", "Assistant A", "Response A", "Output (a)", "Answer 1", "the first response", "Model A"),
    "B": ("B", "(b)", "Assistant B", "Response B", "Output (b)", "Answer 2", "the second response", "Model B"),
}
VERDICTS = (
    "Final verdict: {}",
    "**Final Verdict:** **{}**",
    "Verdict: {}.",
    "The winner is {}.",
    "My final choice is {}.",
    "Decision: {} because it is right",
    '```json\n{{"verdict": "{}", "reasons": "ok"}}\n```',
    "Preference: *{}*",
    "judgement = {}",
)
#: What judges write around a verdict, and what decides nothing.
PROSE = (
    "Response A is better in style.",
    "Response B is longer.",
    "The correct answer is B.",
    "If Response A is better, that would matter.",
    "I don't think Assistant A is better.",
    "Assistant A gets 8 of 10 points for style.",
    "A good answer names the year.",
    "The second response is not better.",
    "**Response A**\nIt is fine.\n**Response B**\nIt is long.",
    "Some would say Response B is better.",
    "It is unclear which is better: A or B.",
    "The user asks whether Answer 1 is better.",
    "B is a vitamin.",
    "1. Accuracy: A is right, B is wrong.",
    "Score of Assistant A: 7, score of Assistant B: 9",
    "The initial verdict: A was too quick.",
)


def around(rng: random.Random, verdict: str | None) -> str:
    before, after = ([rng.choice(PROSE) for _ in range(rng.randint(0, 3))] for _ in range(2))
    return rng.choice(["\n", "\n\n"]).join([*before, *([] if verdict is None else [verdict]), *after])


def test_reasoning_before_and_after_changes_no_verdict_and_is_none() -> None:
    rng = random.Random(0)
    for _ in range(1_500):
        side = rng.choice("AB")
        text = around(rng, rng.choice(VERDICTS).format(rng.choice(NAMES[side])))
        assert value(text, "ab") == side, text
        text = around(rng, None)
        assert value(text, "ab") is None, text


def test_of_two_verdicts_only_a_later_one_that_calls_itself_final_counts() -> None:
    rng = random.Random(1)
    for _ in range(500):
        one, other = rng.choice([("A", "B"), ("B", "A")])
        first, second = (rng.choice(VERDICTS).format(rng.choice(NAMES[side])) for side in (one, other))
        said = value(f"{first}\nWait, I have to look again.\n{second}", "ab")
        assert said in ((other, None) if "final" in second.lower() else (None,)), (first, second)


PIECES = (
    "Response A is ",
    "verdict: ",
    "(",
    "[[",
    "[[8]] ",
    "[[A]] ",
    "```json\n",
    "score is ",
    "A",
    "if ",
    " \n",
    "*_\"'`",
    "9",
)


@pytest.mark.slow
def test_two_hundred_thousand_signs_of_anything_cost_little() -> None:
    for piece in PIECES:
        for judge in ("somebody", "x/CoT", "x/Vanilla"):
            text = (piece * (200_000 // len(piece) + 1))[:200_000]
            began = time.process_time()
            read_judgement(text, "ab", judge=judge)
            assert time.process_time() - began < 1.0, (piece, judge)
