"""How are two final answers of a known kind compared? One function per kind: same, not the same, or None for not sure."""

from __future__ import annotations

import re
from collections.abc import Callable

from judges.choices import options, picked, polarity
from judges.code import code_of, same_code
from judges.contracts import Comparison
from judges.dates import dates, same_date
from judges.entities import same_name
from judges.final import FinalAnswer
from judges.kinds import Kind, is_arithmetic, labels_for, whole_text
from judges.labels import given_label
from judges.lists import items_of, order_matters, same_items
from judges.literals import Unread, literal_of, same_literal
from judges.mathematics import same_mathematics
from judges.outcome import stated_quantity
from judges.quantities import Quantity, same_quantity
from judges.text import clean, normalise, same_text, words
from judges.units import same_measure

Said = tuple[bool | None, str]
_SURE = frozenset({"field", "marked"})
_CUT_OUT = frozenset({"field", "marked", "phrase"})
#: More than one plain number: a list, a set, an interval, an inequality, a power, a root.
_COMPOUND = re.compile(
    r"(?<!<)[<>](?![<>])|[≤≥≠^√π∞±∅ℝ]|\\(?!text|mathrm|mbox|,|!|;|%|\$|d?frac)[a-zA-Z{]|^\s*\$?[(\[{]|\d,(?!\d{3}(?!\d))\s*-?[\d\\]|\d\s*!\s*[-+*/(\d]"
    r"|\b[a-zA-Z]\s*=\s*[^=]+[,;]|\\text\s*\{\s*(?:and|or)\b"
)
#: The same, where nothing but the answer stands: a factorial, a letter's multiple.
_LETTERED = re.compile(r"\d\s*!\s*$|\d\s*[xyznabpqt]\b(?!\w)")
_FORMULA = re.compile(
    _COMPOUND.pattern
    + r"|\\[a-zA-Z]|_|\d\s*[a-zA-Z]\b(?!\w)|\b[a-z]\s*[-+*/=]|[-+*/=]\s*[a-z]\b|\d\s*:\s*\d|\d\s*!\s*$"
)
_WORDS_ONLY = re.compile(r"\\(?:text|mathrm|textbf|mbox)\s*\{([^{}\\]*)\}")
_EQUATION = re.compile(r"[\d)%]\s*=\s*\$?-?[\d.]")
_RATE = re.compile(r"(?<=\d)\s+(?=[a-zA-Z/]{3})[a-zA-Z]{1,8}/[a-zA-Z]{1,8}$")
_MAX_SHOWN = 60
_BARE = 40  # characters up to which a text is taken to be nothing but an answer
_BLOCK = re.compile(r"```[\w+-]*[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_QUOTED = re.compile(r"`([^`\n]{1,300})`")


def number(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """Quantities, with units and rounding; formulas where one side is one."""
    sums = is_arithmetic(comparison)
    measures = same_measure(answer.text, reference.text, comparison.prompt)
    if measures is not None:
        return measures, f"measure {answer.text[:_MAX_SHOWN]} against {reference.text[:_MAX_SHOWN]}"
    compound = any(_is_compound(side) for side in (answer, reference))
    if sums or compound:
        said = _formula(answer, reference)
        if said is not None:
            return said
    if (
        compound
        and not any(_EQUATION.search(side.text) for side in (answer, reference))
        and all(side.source in _CUT_OUT or len(side.text) <= _BARE for side in (answer, reference))
    ):
        return None, "more than one number, in a form that could not be read"
    left, right = (stated_quantity(side, comparison.prompt, sums=sums) for side in (answer, reference))
    if not sums and (left is None or right is None):
        said = _formula(answer, reference)
        if said is not None:
            return said
    if right is None:
        return None, "no single number could be read from the reference"
    if left is None:
        if sums and not any(c.isdigit() for c in answer.text + answer.working):
            return False, f"no number where the reference says {right.value:g}"
        return None, "no single number could be read from the answer"
    return same_quantity(left, right), f"number {_say(left)} against {_say(right)}"


def mathematics(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """Values, formulas, intervals, tuples and sets outside of plain arithmetic."""
    measures = same_measure(answer.text, reference.text)
    if measures is not None:
        return measures, f"measure {answer.text[:_MAX_SHOWN]} against {reference.text[:_MAX_SHOWN]}"
    return _formula(answer, reference) or (None, "no formula that could be read")


def _is_compound(side: FinalAnswer) -> bool:
    if len(side.text) > 400:
        return False
    text = side.text.replace("\\!", "")
    return _COMPOUND.search(text) is not None or (side.source in _SURE and _LETTERED.search(text) is not None)


def _formula(answer: FinalAnswer, reference: FinalAnswer) -> Said | None:
    """The comparison as formulas; None where both are plain numbers or words, which others read better.

    `The answer is 5!` has no factorial, `5!` in a box has one.
    """
    factorials = any(side.source in _SURE and "!" in side.text for side in (answer, reference))
    one, other = (
        _RATE.sub("", _unwrapped(side.text if factorials else side.text.rstrip("! "))) for side in (answer, reference)
    )
    if max(len(one), len(other)) > 400 or not all(
        s.source in _CUT_OUT or len(s.text) <= _BARE for s in (answer, reference)
    ):
        return None
    if not any(_FORMULA.search(t) for t in (one, other)):
        bare = all(
            s.source in _SURE and 0 < len(words(t)) <= 3 and not re.search(r"\d", t)
            for s, t in ((answer, one), (reference, other))
        )
        if bare:
            return normalise(one) == normalise(other), f"{one[:_MAX_SHOWN]!r} against {other[:_MAX_SHOWN]!r}"
        return None
    same = same_mathematics(one, other)
    return None if same is None else (same, f"formula {one[:_MAX_SHOWN]} against {other[:_MAX_SHOWN]}")


def _unwrapped(text: str) -> str:
    """`\\text{even}` is a word, `12 \\text{ cm}` is not."""
    words_only = _WORDS_ONLY.fullmatch(text.strip().strip("$").strip())
    return words_only[1].strip() if words_only else text


def _say(quantity: Quantity) -> str:
    return f"{quantity.value:g} {quantity.unit}".strip()


def choice(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """Options by letter or text."""
    offered = options(comparison.prompt[-8_000:])
    left, right = picked(answer.text, offered), picked(reference.text, offered)
    if left is None:
        left = picked(answer.working, offered) if answer.working else None
    if left is None or right is None:
        return None, "the option picked could not be read"
    return left == right, f"option {left} against {right}"


def label(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """Labels of the list that the request or the schema gives, bare ones where it gives none."""
    offered = labels_for(comparison)
    right = given_label(whole_text(reference), offered)
    if right is None:
        return _bare_label(answer, reference)
    left = given_label(whole_text(answer), offered)
    if left is not None:
        return left == right, f"label {' '.join(left)!r} against {' '.join(right)!r}"
    if len(words(answer.text)) <= len(right) + 1 and not any(set(known) & set(words(answer.text)) for known in offered):
        return False, f"{answer.text[:_MAX_SHOWN]!r} is none of the labels"
    return None, "the label given could not be read"


def _bare_label(answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """Labels that no list names: equal or not, as long as both sides say little else."""
    left, right = normalise(answer.text), normalise(reference.text)
    if left == right:
        return True, f"label {right!r} on both sides"
    if len(words(answer.text)) > len(words(reference.text)) + 2:
        return None, "the answer is no bare label"
    return False, f"label {left[:_MAX_SHOWN]!r} against {right[:_MAX_SHOWN]!r}"


def yes_no(_comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """Yes or no, true or false."""
    left, right = polarity(answer.text), polarity(reference.text)
    if left is None or right is None:
        return None, "neither yes nor no could be read"
    return left == right, f"{'yes' if left else 'no'} against {'yes' if right else 'no'}"


def literal(_comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """What a program prints: values by type, strings to the letter, quoted or not."""
    one, other = (printed(side) for side in (answer, reference))
    left, right = literal_of(one), literal_of(other)
    rationale = f"value {one[:_MAX_SHOWN]} against {other[:_MAX_SHOWN]}"
    if isinstance(left, Unread) and isinstance(right, Unread):
        if one == other:
            return True, rationale
        sure = all(s.source in _CUT_OUT or _is_bare_output(t) for s, t in ((answer, one), (reference, other)))
        return (False if sure else None), rationale
    if isinstance(left, Unread) or isinstance(right, Unread):
        bare, value = (one, right) if isinstance(left, Unread) else (other, left)
        if isinstance(value, str):
            return bare.strip("`'\"") == value, rationale
        plain = other if isinstance(left, Unread) else one
        named = re.search(rf"(?<![\w.]){re.escape(plain)}(?!\w)", bare) is not None
        return (False if len(bare) <= 200 and "\n" not in bare and not named else None), rationale
    if isinstance(left, str) != isinstance(right, str) and str(left) == str(right):
        return True, rationale
    return same_literal(left, right), rationale


def printed(side: FinalAnswer) -> str:
    """What a completion says is printed: its only block or its only code in prose, else its final answer."""
    whole = clean(side.working or side.text).strip()
    if side.source in ("whole", "last"):
        blocks = _BLOCK.findall(whole)
        if len(blocks) == 1:
            return str(blocks[0]).strip()
        quoted = [] if blocks else _QUOTED.findall(side.text)
        if len(quoted) == 1 and side.text.strip().strip(".") != f"`{quoted[0]}`":
            return str(quoted[0]).strip()
    text = clean(side.text).strip()
    return text.rstrip(".").strip("`") if text.count("`") == 1 else text


#: What hardly any program is without.
_CODE_SIGN = re.compile(r"[(=;]|```|\breturn\b|->|\b(?:SELECT|FROM)\b", re.IGNORECASE)


def _is_bare_output(text: str) -> bool:
    """A line without a sentence around it, as a program would print it."""
    return 0 < len(text) <= 200 and "\n" not in text and len(words(text)) <= 2


def code(_comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """Programs by their syntax trees; programs that differ may still do the same, so they are left open."""
    left, right = code_of(answer.working or answer.text), code_of(reference.working or reference.text)
    if left is None and right is not None and not _CODE_SIGN.search(answer.working or answer.text):
        return False, "no code where the reference has some"
    if left is None or right is None:
        return None, "there is code on one side only"
    same = same_code(left, right)
    if same is None:
        return None, "the programs differ in more than names"
    slip = "the programs differ in one operator or value, or one of them cannot be parsed"
    return same, "the same program but for names and layout" if same else slip


def date(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """Dates in any form, where either side states one that the question doesn't."""
    asked = dates(comparison.prompt[-8_000:])
    stated = [
        [d for d in dates(side.text, years=True) if not any(same_date(d, a) and d.day == a.day for a in asked)]
        for side in (answer, reference)
    ]
    if len(stated[0]) != 1 or len(stated[1]) != 1:
        return None, "not one date on either side"
    one, other = stated[0][0], stated[1][0]
    return same_date(
        one, other
    ), f"date {answer.text[one.start : one.end]} against {reference.text[other.start : other.end]}"


def listed(comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """Lists, in order only where an order was asked for."""
    left, right = (items_of(side.text) or items_of(side.working) for side in (answer, reference))
    if not left or not right:
        return None, "no list could be read"
    same, shared = same_items(left, right, ordered=order_matters(comparison.prompt[-8_000:]))
    return same, f"{shared} items in both lists of {len(left)} and {len(right)}"


def entity(_comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """Short names. Different names may still be the same thing, so only equality is certain."""
    same = same_name(answer.text, reference.text)
    if same:
        return True, f"the same name: {answer.text[:_MAX_SHOWN]!r} and {reference.text[:_MAX_SHOWN]!r}"
    return None, "names that may or may not be the same"


def free(_comparison: Comparison, answer: FinalAnswer, reference: FinalAnswer) -> Said:
    """Free text: only the same marked answer is certain."""
    if answer.source in _SURE and reference.source in _SURE and same_text(answer.text, reference.text):
        return True, "the same final answer on both sides"
    return None, "free text: nothing that could be compared exactly"


COMPARE: dict[Kind, Callable[[Comparison, FinalAnswer, FinalAnswer], Said]] = {
    "number": number, "math": mathematics, "choice": choice, "label": label, "yes_no": yes_no, "literal": literal, "code": code,
    "date": date, "list": listed, "entity": entity, "free": free,
}  # fmt: skip
