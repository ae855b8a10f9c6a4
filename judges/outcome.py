"""Which of the numbers in a final answer is the outcome?"""

from __future__ import annotations

import re

from judges.final import FinalAnswer
from judges.quantities import Quantity, number_values, quantities, same_value, spelled_numbers, strip_latex, to_quantity

_AFTER_EQUALS = re.compile(r"=\s*([^=]*)$")
_RESULT = re.compile(r"=\s*[$€£]?\s?(\d[\d,]*(?:\.\d+)?)")
_BARE_WORDS = 3
_SURE = frozenset({"field", "marked", "phrase"})


def stated_quantity(final: FinalAnswer, prompt: str, *, sums: bool) -> Quantity | None:
    """The quantity that a completion ends with, None where it can't be told.

    sums: the request is arithmetic, so a number of the last sentence is the outcome unless something better marks it.
    Otherwise prose is only read when it states exactly one number that the question doesn't.
    """
    single = to_quantity(final.text)
    if single is not None and (sums or len(final.text.split()) <= _BARE_WORDS):
        return single
    text = strip_latex(final.text)
    if not sums:
        return _only_new(text if final.source in _SURE else strip_latex(f"{final.working} {final.text}"), prompt)
    found = quantities(text)
    if not found and final.source == "last":
        text = strip_latex(final.working)
        found = quantities(text)
    after = _AFTER_EQUALS.search(text)
    if after and (behind := [q for q in found if q.start >= after.start(1)]):
        return behind[0]
    if final.source == "last" and len({q.value for q in found}) > 1:
        return _worked_out(found, strip_latex(final.working), prompt)
    return found[-1] if found else None


def _worked_out(stated: list[Quantity], working: str, prompt: str) -> Quantity:
    """The one of several numbers that is the outcome: `he has 26 marbles left if he loses 10 of them`.

    It is what the last equation came to, else the only one that the question doesn't give, else the last.
    """
    results = _RESULT.findall(working)
    if results:
        value = float(results[-1].replace(",", ""))
        for quantity in reversed(stated):
            if same_value(abs(quantity.value), value):
                return quantity
    given = {*number_values(prompt), *spelled_numbers(prompt)}
    fresh = {q.value: q for q in stated if abs(q.value) not in given}
    return next(iter(fresh.values())) if len(fresh) == 1 else stated[-1]


def _only_new(text: str, prompt: str) -> Quantity | None:
    """The one number in the text that the question doesn't state."""
    given = {*number_values(prompt), *spelled_numbers(prompt)}
    fresh = {q.value: q for q in quantities(text) if q.value not in given}
    for value in spelled_numbers(text):
        if value not in given and value > 1:
            fresh.setdefault(value, Quantity(value=value, unit="", start=0, end=len(text)))
    return next(iter(fresh.values())) if len(fresh) == 1 else None
