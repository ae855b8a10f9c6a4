"""A report of several sentences, to be cut down to one or two that keep who, what, when and how much."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from shadow.lab.tasks.contracts import Kind, Task
from shadow.lab.tasks.grading import MONTHS, as_number, dates, numbers, only_numbers_of, says
from shadow.lab.tasks.lapses import Style
from shadow.lab.tasks.names import COMPANIES, PEOPLE, PLACES
from shadow.lab.tasks.summary_reports import HALLUCINATIONS, REPORTS, Report

#: The facts a summary has to keep. `when` is "14 May", `amount` a numeral as the report writes it.
FACTS = ("who", "org", "place", "when", "amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(Task):
    """A report, and the facts its summary must keep."""

    kind: ClassVar[Kind] = "summary"

    report: Report
    facts: tuple[tuple[str, str], ...]
    kept: tuple[str, ...]

    def draft_right(self, style: Style, rng: random.Random) -> str:
        return self._tell(dict(self.facts), style, rng)

    def draft_wrong(self, style: Style, rng: random.Random) -> str:
        facts = dict(self.facts)
        slip = rng.choice(("swap", "swap", "amount", "drop", "drop", "invent"))
        if slip == "invent":
            return f"{self._tell(facts, style, rng)} {rng.choice(HALLUCINATIONS).format(number=rng.randint(51, 99))}"
        if slip == "amount" and "amount" in self.kept:
            facts["amount"] = _slip_amount(facts["amount"], rng)
            return self._tell(facts, style, rng)
        target = rng.choice(self.kept)
        if slip == "drop":
            facts[target] = {
                "who": "the management", "org": "the firm", "place": "the region", "when": "a later day", "amount": "a large sum",
            }[target]  # fmt: skip
        else:
            facts[target] = _other(target, facts[target], rng)
        return self._tell(facts, style, rng)

    def check(self, answer: str) -> bool:
        """Right if every fact is kept, every numeral comes from the report, and no other person or firm turns up."""
        facts = dict(self.facts)
        if not all(_kept(name, facts[name], answer) for name in self.kept):
            return False
        if not only_numbers_of(answer, self.user):
            return False
        return not any(says(answer, name) for name in (*PEOPLE, *COMPANIES) if name not in self.user)

    def _tell(self, facts: Mapping[str, str], style: Style, rng: random.Random) -> str:
        return rng.choice(self.report.summaries[style]).format(**facts)


def _kept(name: str, fact: str, answer: str) -> bool:
    if name == "when":
        day, month = fact.split()
        return (int(day), MONTHS.index(month) + 1) in dates(answer)
    if name == "amount":
        return as_number(fact) in numbers(answer)
    if name == "who":
        return says(answer, fact) or says(answer, fact.rsplit(maxsplit=1)[-1])
    return says(answer, fact)


def _other(name: str, fact: str, rng: random.Random) -> str:
    if name == "amount":
        return _slip_amount(fact, rng)
    if name == "when":
        day, month = fact.split()
        return f"{(int(day) + rng.randint(0, 26)) % 28 + 1} {month}"
    pool = {"who": PEOPLE, "org": COMPANIES, "place": PLACES}[name]
    return rng.choice([known for known in pool if known != fact])


def _slip_amount(amount: str, rng: random.Random) -> str:
    value = int(as_number(amount))
    return f"{rng.choice((value * 10, value // 10, value + rng.choice((100, 1000, -100)))):,}"


def generate(rng: random.Random) -> Task:
    """A report; more facts to keep and more sentences around them make it harder."""
    report = rng.choice(REPORTS)
    facts = {
        "who": rng.choice(PEOPLE),
        "org": rng.choice(COMPANIES),
        "place": rng.choice(PLACES),
        "when": f"{rng.randint(1, 28)} {rng.choice(MONTHS)}",
        "amount": f"{rng.randint(12, 980) * 100:,}",
    }
    wanted = rng.randint(2, 5)
    kept = tuple(sorted(rng.sample(FACTS, wanted), key=FACTS.index))
    count = rng.randint(2, len(report.asides))
    asides = [
        text.format(other=rng.choice([p for p in PEOPLE if p != facts["who"]]), small=rng.randint(2, 48), **facts)
        for text in rng.sample(report.asides, count)
    ]
    core = [text.format(**facts) for text in report.core]
    sentences = [asides[0], *core, *asides[1:]]
    words = {"who": "the person", "org": "the firm", "place": "the place", "when": "the date", "amount": "the amount"}
    keep = ", ".join(words[name] for name in kept)
    return Summary(
        id="",
        feature=rng.choice(("daily-digest", "report-summaries")),
        difficulty=round(((wanted - 2) / 3 + (count - 2) / max(len(report.asides) - 2, 1)) / 2, 3),
        user=f"Summarise this report in at most two sentences. Keep {keep} that it is about.\n\n{' '.join(sentences)}",
        answer="; ".join(facts[name] for name in kept),
        report=report,
        facts=tuple(facts.items()),
        kept=kept,
    )
