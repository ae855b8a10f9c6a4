"""Does the structured judge understand answers of kinds that no file here has: olympiad mathematics, output, measures?

Each table of mathematics is read both ways round. What can't be told has to be left open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from judges.contracts import Comparison
from judges.structured import StructuredJudge

ACCEPT, REJECT, ABSTAIN = "accept", "reject", "abstain"
SOLVE = r"Solve the problem. Put your final answer within \boxed{}."
PRINTS = "What does the following program print?\n```python\nprint(f(x))\n```"

MATHEMATICS = (
    (r"(-\infty, 3]", r"x \le 3", ACCEPT),
    (r"(-\infty,3]", r"x \leq 3", ACCEPT),
    (r"(-\infty,3)", r"x \leq 3", REJECT),
    ("[2,5)", r"2 \le x < 5", ACCEPT),
    ("x > 2", r"(2,\infty)", ACCEPT),
    (r"\frac{\sqrt{2}}{2}", r"1/\sqrt2", ACCEPT),
    (r"\frac{\sqrt2}{2}", r"\frac{1}{2}", REJECT),
    (r"\{1,2,3\}", r"\{3,2,1\}", ACCEPT),
    ("1,2,3", "3,2,1", ACCEPT),
    ("(3,4)", "(4,3)", REJECT),
    ("(3,4)", r"\left( 3, 4 \right)", ACCEPT),
    ("x=3, y=4", "(3,4)", ACCEPT),
    (r"25\%", r"\frac14", ACCEPT),
    ("0.25", "25%", ACCEPT),
    ("1,000,000", "1000000", ACCEPT),
    ("10^6", "1000000", ACCEPT),
    (r"1.5\times 10^3", "1500", ACCEPT),
    (r"12\text{ cm}^2", "12", ACCEPT),
    (r"12\text{ cm}^2", r"12 \text{ square centimeters}", ACCEPT),
    (r"5\text{ km}", r"5000\text{ m}", ACCEPT),
    ("-0", "0", ACCEPT),
    (r"\frac{3}{4}", "0.75", ACCEPT),
    (r"2\frac{1}{2}", "2.5", ACCEPT),
    (r"\sqrt{50}", r"5\sqrt2", ACCEPT),
    (r"3+2\sqrt{2}", r"(1+\sqrt2)^2", ACCEPT),
    (r"e^{i\pi}", "-1", ACCEPT),
    (r"\begin{pmatrix}1&0\\0&1\end{pmatrix}", r"\begin{pmatrix}1&0\\0&2\end{pmatrix}", REJECT),
    (r"\text{(B)}", "B", ACCEPT),
    (r"\text{even}", r"\text{odd}", REJECT),
    (r"\text{Evelyn}", "Evelyn", ACCEPT),
    (r"\text{no solution}", r"\emptyset", ACCEPT),
    (r"\varnothing", r"\emptyset", ACCEPT),
    ("x^2-4", "(x-2)(x+2)", ACCEPT),
    ("x^2-4", "(x-2)^2", REJECT),
    ("y=2x+1", "2x+1", ACCEPT),
    ("2x-y+1=0", "y=2x+1", ACCEPT),
    (r"\frac{1}{x+1}", "(x+1)^{-1}", ACCEPT),
    (r"\pm 2", "2,-2", ACCEPT),
    (r"x = 2 \text{ or } x = -2", r"\{-2,2\}", ACCEPT),
    ("2, -2", "2", REJECT),
    (r"\frac{n(n+1)}{2}", r"\frac{n^2+n}{2}", ACCEPT),
    (r"\infty", r"\infty", ACCEPT),
    (r"\infty", r"-\infty", REJECT),
    (r"\$18.90", "18.90", ACCEPT),
    ("18.9", "18.90", ACCEPT),
    ("18", "18.90", REJECT),
    (r"6,\!400", "6400", ACCEPT),
    (r"11\sqrt2", r"11\sqrt{2}", ACCEPT),
    ("3:4", "4:3", REJECT),
    (r"\mathbb{R}", r"(-\infty,\infty)", ACCEPT),
    (r"\arctan\frac12", r"\tan^{-1}\frac12", ACCEPT),
    (r"60^\circ", "60", ACCEPT),
    (r"60^\circ", "61", REJECT),
    (r"8\pi", r"8 \pi \text{ cm}", ACCEPT),
    ("2^{10}", "1024", ACCEPT),
    (r"\sqrt[3]{8}", "2", ACCEPT),
    ("|x-1|", "|1-x|", ACCEPT),
    (r"\dfrac{-1}{3}", r"-\dfrac{1}{3}", ACCEPT),
    (r"-\frac13", r"\frac13", REJECT),
    ("3 - i", "3-i", ACCEPT),
    ("3+i", "3-i", REJECT),
    (r"\frac{1}{2}+\frac{\sqrt{3}}{2}i", r"\frac{1+i\sqrt{3}}{2}", ACCEPT),
    (r"x\in[-2,7]", "[-2,7]", ACCEPT),
    ("[-2,7]", r"-2 \le x \le 7", ACCEPT),
    (r"-2\leq x\leq 7", r"-2 \le x \le 8", REJECT),
    (r"\left[0, \frac{\pi}{2}\right)", r"[0,\pi/2)", ACCEPT),
    ("a=1,b=2", "a=1, b=2", ACCEPT),
    ("a=1,b=2", "b=2, a=1", ACCEPT),
    ("a=1,b=2", "a=2, b=1", REJECT),
    ("(1,2),(3,4)", "(3,4),(1,2)", ACCEPT),
    (r"\{(1,2),(3,4)\}", r"\{(3,4),(1,2)\}", ACCEPT),
    ("(1,2),(3,4)", "(2,1),(3,4)", REJECT),
    ("1/2, 1/3", r"\frac13,\frac12", ACCEPT),
    (r"5 \text{ hours}", "5", ACCEPT),
    (r"17\text{ or }19", "17, 19", ACCEPT),
    (r"\text{C}", "D", REJECT),
    ("f(x)=x+1", "x+1", ACCEPT),
    (r"\frac{9\sqrt{3}}{4}", r"\frac94\sqrt3", ACCEPT),
    (r"4\sqrt{3}\text{ units}", r"4\sqrt3", ACCEPT),
    (r"0.\overline{3}", r"\frac13", ACCEPT),
    ("1{,}234", "1234", ACCEPT),
    (r"\sqrt{3}-1", r"-1+\sqrt{3}", ACCEPT),
    (r"k=\pm\sqrt{3}", r"\sqrt3,-\sqrt3", ACCEPT),
    ("2+3i, 2-3i", r"2\pm 3i", ACCEPT),
    (r"\binom{10}{3}", "120", ACCEPT),
    ("10!", "3628800", ACCEPT),
    (r"\lfloor 3.7\rfloor", "3", ACCEPT),
    ("1 < x < 2 or x > 5", r"(1,2)\cup(5,\infty)", ACCEPT),
    ("12 dollars", "12", ACCEPT),
    ("0.1", r"10\%", ACCEPT),
    (r"\frac{7}{3} \approx 2.33", r"\frac73", ACCEPT),
    ("2.3333", r"\frac73", ACCEPT),
    (r"\langle 1,2,3\rangle", "(1,2,3)", ACCEPT),
    (r"\begin{bmatrix} 1 \\ 2 \end{bmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", ACCEPT),
    (r"x=\frac{1}{2}", "0.5", ACCEPT),
    ("x=2 or x=3", "2, 3", ACCEPT),
    (r"x=2 \text{ and } y=3", "(2,3)", ACCEPT),
    (r"\frac{a}{b}", "a/b", ACCEPT),
    (r"\text{(A)}", "A", ACCEPT),
    (r"\$1{,}234.50", "1234.5", ACCEPT),
    (r"-\frac{1}{2}", "-0.5", ACCEPT),
    (r"\left(-\infty,-1\right]\cup[2,\infty)", r"x \le -1 \text{ or } x \ge 2", ACCEPT),
    (r"2\sqrt{2}", "2.828", ACCEPT),
    ("p-q", "q-p", REJECT),
    ("6-5i", "6+5i", REJECT),
    (r"\frac{3}{2}", "1.5", ACCEPT),
    (r"1\frac12", "1.5", ACCEPT),
    ("2^{2024}", "2^{2023}", REJECT),
    ("2^{2024}", "4^{1012}", ACCEPT),
    ("100!", "99!", REJECT),
    (r"\binom{100}{50}", r"\binom{100}{49}", REJECT),
    ("0", "-0", ACCEPT),
    ("0", r"\emptyset", REJECT),
    ("(x-1)(x+2)", "x^2+x-2", ACCEPT),
    ("3x^2+6x", "3x(x+2)", ACCEPT),
    (r"7 \text{ and } 9", "9, 7", ACCEPT),
    ("12, 15, 18", "12,15,19", REJECT),
    ("1, 2", "1, 2, 3", REJECT),
    (r"\frac{1}{3}, \frac{2}{3}", r"\frac23,\frac13", ACCEPT),
    (r"4\text{ inches}", r"4 \text{ in}", ACCEPT),
    (r"\text{Tuesday}", "Tuesday", ACCEPT),
    (r"\text{Tuesday}", "Thursday", REJECT),
    ("a^2b", "ba^2", ACCEPT),
    (r"\cos x", r"\sin x", REJECT),
    (r"\sin^2 x", r"1-\cos^2 x", ACCEPT),
    (r"y = -\frac{1}{2}x + 3", "x + 2y = 6", ACCEPT),
    (r"10\%", "0.1", ACCEPT),
    ("50", r"50^\circ", ACCEPT),
    ("17", r"17 \text{ people}", ACCEPT),
    (r"\left\lfloor\frac{7}{2}\right\rfloor", "3", ACCEPT),
    ("0.5 < x < 1", r"(\frac12,1)", ACCEPT),
    ("2023", "2024", REJECT),
    ("3.14159", r"\pi", ACCEPT),
    ("12!/(5!7!)", "792", ACCEPT),
    (r"\frac{12!}{5!7!}", "792", ACCEPT),
    ("e^2", "7.389", ACCEPT),
    (r"\log_{10} 1000", "3", ACCEPT),
    (r"2 + \sqrt{3}, 2 - \sqrt{3}", r"2 \pm \sqrt{3}", ACCEPT),
    ("[0,1)", "[0,1]", REJECT),
    ("(0,1)", "(0,1]", REJECT),
    (r"\begin{pmatrix} 3 \\ -7 \end{pmatrix}", r"\begin{pmatrix} 3 \\ 7 \end{pmatrix}", REJECT),
    ("x^3 + 3x - 6", "x^3+3x-6", ACCEPT),
    ("5 + 2i", "2i + 5", ACCEPT),
    ("1 000 000", "1000000", ACCEPT),
    (r"$\frac{1}{2}$", "1/2", ACCEPT),
    ("2x", "2y", REJECT),
    ("k > 4", r"k \geq 4", REJECT),
    ("n=7", "7", ACCEPT),
    ("7", "7.0", ACCEPT),
    ("7.5", "7", REJECT),
    (r"\frac{22}{7}", r"\pi", REJECT),
)

PRINTED = (
    ("[1, 2, 3]", "[1,2,3]", ACCEPT),
    ("[1, 2, 3]", "[3, 2, 1]", REJECT),
    ("True", "true", ACCEPT),
    ("'abc'", "abc", ACCEPT),
    ("abc", "abd", REJECT),
    ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", ACCEPT),
    ("None", "null", ACCEPT),
    ("1\n2\n3", "1\n2\n3\n", ACCEPT),
    ("```\n5\n```", "5", ACCEPT),
    ("The output is `5`.", "5", ACCEPT),
    ("The program prints 5, since x is 5.", "5", ABSTAIN),
    ("The output is:\n```\n[1, 2]\n```", "[1, 2]", ACCEPT),
    ("The output is:\n```\n[1, 3]\n```", "[1, 2]", REJECT),
    ("hello world", "Hello World", REJECT),
    ("Output: 42", "42", ACCEPT),
    ("Output: 42", "43", REJECT),
    ("It raises a KeyError", "KeyError", ABSTAIN),
)

ASKED = (
    ("When was the battle?", "14 May 1921", "1921-05-14", ACCEPT),
    ("When was the battle?", "May 14th, 1921", "14.05.1921", ACCEPT),
    ("When was the battle?", "It took place on May 15, 1921.", "May 14, 1921", REJECT),
    ("In which year did it start?", "1921", "It started in 1921.", ACCEPT),
    ("In which year did it start?", "In 1922.", "1921", REJECT),
    ("What city hosted it?", "New York", "New York City", ACCEPT),
    ("Which country?", "USA", "United States of America", ACCEPT),
    ("Who wrote it?", "Tolkien", "J.R.R. Tolkien", ACCEPT),
    ("How far is it from A to B in km?", "5 km", "5000 m", ACCEPT),
    ("How far is it from A to B?", "5 km", "5 miles", REJECT),
    ("How long does it take?", "90 minutes", "1.5 hours", ACCEPT),
    ("How long does it take?", "1 hour 30 minutes", "90 minutes", ACCEPT),
    ("How long does it take?", "1 h 20 min", "90 min", REJECT),
    ("How much does it cost?", "$1,200", "1200 dollars", ACCEPT),
    ("How much does it cost?", "$1.2k", "$1,200", ACCEPT),
    ("How much does it cost?", "€1,200", "$1,200", REJECT),
    ("What percentage is it?", "25%", "0.25", ACCEPT),
    ("What percentage is it?", "25 percent", "25%", ACCEPT),
    ("Calculate the total.", "-0", "0", ACCEPT),
    ("Calculate the total.", "The total is 1,234,567.", "1234567", ACCEPT),
    ("Calculate the mass.", "2.5 kg", "2500 g", ACCEPT),
    ("Calculate the mass.", "2.5 kg", "2500 kg", REJECT),
    ("Calculate the temperature.", "25 °C", "25°C", ACCEPT),
    ("Calculate the volume.", "1 L", "1000 mL", ACCEPT),
    ("How many?", "twelve", "12", ACCEPT),
    ("How many were there?", "There were twelve of them.", "12", ACCEPT),
    ("Which is right?\nA) cats\nB) dogs\nC) none of the above", "C", "none of the above", ACCEPT),
    ("Which is right?\nA) cats\nB) dogs\nC) none of the above", "None of the above", "(C)", ACCEPT),
    ("Which is right?\nA) cats\nB) dogs\nC) none of the above", "The answer is B.", "C) none of the above", REJECT),
    ("Which is right?\n(a) cats\n(b) dogs\n(c) birds", "(b)", "dogs", ACCEPT),
    ("List the three primary colours.", "red, blue and yellow", "Yellow, red, blue", ACCEPT),
    ("Name the two founders.", "1. Larry Page\n2. Sergey Brin", "Sergey Brin and Larry Page", ACCEPT),
    ("Is it raining?", "Yes, it is.", "yes", ACCEPT),
    ("Is it raining?", "No.", "Yes", REJECT),
    ("Is 7 a prime number?", "True", "Yes, 7 is prime", ACCEPT),
    ("What is the capital?", "Париж", "Париж", ACCEPT),
    ("What is the capital?", "東京", "東京", ACCEPT),
    ("Is the review positive, negative or neutral?", "Positive", "The review is positive.", ACCEPT),
    ("Is the review positive, negative or neutral?", "negative", "positive", REJECT),
    ("How many days are there in 48 hours?", "2 days", "2", ACCEPT),
    ("How many eggs?", "a dozen eggs, i.e. 12", "12", ACCEPT),
    ("What is 2+2?", "4", "4.0", ACCEPT),
    ("What is the probability?", "1/6", "16.7%", ACCEPT),
    ("What is the probability?", "1/6", "0.1667", ACCEPT),
    ("How many people live there?", "about 8.3 million", "8,300,000", ACCEPT),
    ("How many people live there?", "8.3 million people", "8.3 billion", REJECT),
    ("What was the score?", "3-1", "3-1", ACCEPT),
    ("How much did he pay?", "$5", "5 dollars", ACCEPT),
    ("How much did he pay?", "50 cents", "$0.50", ACCEPT),
    ("How long is it?", "6 feet", "72 inches", ACCEPT),
    ("How long is it?", "2 m", "200 cm", ACCEPT),
    ("How long is it?", "2 m", "20 cm", REJECT),
    ("How old is he?", "45 years old", "45", ACCEPT),
    ("How many hours?", "3 hours", "180 minutes", ACCEPT),
    ("What is the capital?", "東京", "京都", ABSTAIN),
    ("What is the phone number?", "555-1234", "555-1235", ABSTAIN),
    ("Which country?", "The US", "United States", ABSTAIN),
    ("Calculate the sum.", "????", "5", ABSTAIN),
    ("Calculate the sum.", "NaN", "5", ABSTAIN),
    ("Calculate the sum.", "", "5", ABSTAIN),
    ("How many apples?", "一二", "12", ABSTAIN),
)


def misjudged(cases: Sequence[tuple[Comparison, str]]) -> list[tuple[str, str | None, str, str]]:
    """The cases whose verdict is another one."""
    said = asyncio.run(StructuredJudge().judge([comparison for comparison, _ in cases]))
    return [
        (comparison.answer, comparison.reference, judgment.verdict, judgment.rationale)
        for (comparison, verdict), judgment in zip(cases, said, strict=True)
        if judgment.verdict != verdict
    ]


def boxed(text: str) -> str:
    return f"After some work we find that the answer is $\\boxed{{{text}}}$."


def in_json(text: str) -> str:
    return '{"reasoning": "we find", "answer": "' + text.replace("\\", "\\\\") + '"}'


def test_mathematics_is_understood_in_boxes_in_fields_and_either_way_round() -> None:
    cases = [
        (Comparison(prompt=SOLVE, answer=form(a), reference=form(b), query_type="math"), verdict)
        for one, other, verdict in MATHEMATICS
        for a, b in ((one, other), (other, one))
        for form in (boxed, in_json)
    ]
    assert misjudged(cases) == []


def test_an_answer_is_itself_boxed_or_bare_whatever_it_is() -> None:
    answers = dict.fromkeys(text for one, other, _ in MATHEMATICS for text in (one, other))
    assert misjudged([(Comparison(prompt=SOLVE, answer=boxed(a), reference=a), ACCEPT) for a in answers]) == []


def test_printed_output_is_compared_to_the_letter_behind_whatever_words() -> None:
    assert misjudged([(Comparison(prompt=PRINTS, answer=a, reference=b), verdict) for a, b, verdict in PRINTED]) == []


def test_dates_names_measures_money_options_labels_and_lists_are_compared_by_meaning() -> None:
    assert misjudged([(Comparison(prompt=p, answer=a, reference=b), verdict) for p, a, b, verdict in ASKED]) == []
