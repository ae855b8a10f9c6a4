"""Which numbers does this text state, with which unit, and are two quantities the same?"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from judges.text import clean

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_PLAIN = re.compile(
    rf"(?<![\w.])(?P<sign>-)?(?P<pre>[$€£¥₹]\s?)?(?P<sign2>-)?(?P<value>{_NUMBER})(?!\d|(?:st|nd|rd|th)\b)(?:[eE](?P<exponent>[+-]?\d{{1,3}})(?!\w))?"
    r"(?P<post>\s?%|\s?[$€£¥₹](?!\d)|(?:(?:k|m|bn|b)(?![\w&\'-]))|\s(?:thousand|million|billion|trillion|percent|dollars?|cents?|euros?)\b)?",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_GROUPED = re.compile(r"\d{1,3}(?: \d{3})+(?!\d)")
_ONLY_GROUPED = re.compile(r"[^\d\w]{0,3}\d{1,3}(?: \d{3})+(?:\.\d+)?(?:\s?[^\d\s]\D{0,12})?")
_LOOSE = re.compile(rf"(?:{_NUMBER})")
_MIXED = re.compile(r"(?<![\w./])(-?)(?:(\d{1,9})\s+)?(\d{1,9})\s*/\s*(\d{1,9})(?![\w/]|\.\d)")
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\s*\{?\s*(-?\d+)\s*\}?\s*\{?\s*(\d+)\s*\}?")
_SCALE = {
    "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9, "trillion": 1e12,
}  # fmt: skip
_SIGNS = {"$": "usd", "€": "eur", "£": "gbp", "¥": "jpy", "₹": "inr", "%": "percent", "percent": "percent"}
_NAMED = {"dollar": "usd", "dollars": "usd", "euro": "eur", "euros": "eur", "cent": "cent", "cents": "cent"}
_EXACT = 9  # decimals of a fraction
_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
_TIES = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: i for i, word in enumerate(_ONES.split())}
_TENS = {word: 10 * i for i, word in enumerate(_TIES.split(), start=2)}
_WORD_NUMBER = re.compile(
    rf"\b(?:(?:{'|'.join([*_SMALL, *_TENS])}|hundred|thousand|million|billion)(?:[\s-]+(?:and\s+)?)?){{1,8}}\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number as stated. unit: "usd", "percent", ... or "" where none is glued to it. Scale words are applied.

    decimals: how many it was stated with, for telling rounding from difference; a fraction is exact.
    """

    value: float
    unit: str
    start: int
    end: int
    decimals: int = 0


def strip_latex(text: str) -> str:
    """The text with LaTeX number dressing removed: `\\frac{1}{2}` is 1/2, `5\\,000` is 5000, `\\$` is $."""
    if "\\" not in text and "{" not in text:
        return text
    text = _LATEX_FRACTION.sub(r"\1/\2", re.sub(r"(?<=\d)(?=\\[dt]?frac)", " ", text))
    text = re.sub(r"\\(?:text|mathrm|mathbf|mbox|textbf)\s*\{([^{}]*)\}", r" \1 ", text)
    text = text.replace("\\times", "*").replace("\\cdot", "*").replace("\\div", "/").replace("{,}", ",")
    return re.sub(r"\\[,;!: ]", "", text).replace("\\$", "$").replace("\\%", "%")


def quantities(text: str) -> list[Quantity]:
    """All numbers in order of appearance, fractions as one value."""
    return list(_quantities(text)) if _DIGIT.search(text) else []


@lru_cache(maxsize=1024)
def _quantities(text: str) -> tuple[Quantity, ...]:
    found: list[Quantity] = []
    taken: list[tuple[int, int]] = []
    for match in _MIXED.finditer(text):
        denominator = int(match[4])
        if denominator == 0 or len(match[4]) > 4:
            continue
        value = int(match[2] or 0) + int(match[3]) / denominator
        signed = -value if match[1] else value
        found.append(Quantity(value=signed, unit="", start=match.start(), end=match.end(), decimals=_EXACT))
        taken.append(match.span())
    position = 0
    for match in _PLAIN.finditer(text):
        while position < len(taken) and taken[position][1] <= match.start():
            position += 1
        if position < len(taken) and taken[position][0] <= match.start("value") < taken[position][1]:
            continue
        quantity = _plain(match, text)
        if quantity is not None:
            found.append(quantity)
    return tuple(sorted(found, key=lambda q: q.start))


def _plain(match: re.Match[str], text: str) -> Quantity | None:
    value = float(match["value"].replace(",", ""))
    if match["exponent"]:
        value = float(f"{value}e{int(match['exponent'])}")
    unit = _SIGNS.get((match["pre"] or "").strip(), "")
    after = (match["post"] or "").strip().lower()
    end = match.end()
    if after in _SCALE:
        value *= _SCALE[after]
    elif after:
        unit = _SIGNS.get(after) or _NAMED.get(after, unit)
    negative = bool(match["sign2"]) or (bool(match["sign"]) and not text[: match.start()].rstrip(" ")[-1:].isalnum())
    if not math.isfinite(value):
        return None
    places = len(match["value"].partition(".")[2]) if after not in _SCALE else 0
    signed = -value if negative else value
    return Quantity(value=signed, unit=unit, start=match.start(), end=end, decimals=places)


def grouped(text: str) -> str:
    """`1 000 000` without its spaces, where the text is nothing but that number and maybe a unit."""
    return _GROUPED.sub(lambda m: m[0].replace(" ", ""), text) if _ONLY_GROUPED.fullmatch(text.strip()) else text


def number_values(text: str) -> list[float]:
    """Every run of digits as a value, whatever stands around it. For comparing workings, not answers."""
    return [v for m in _LOOSE.findall(text) if math.isfinite(v := float(m.replace(",", "")))]


def spelled_numbers(text: str) -> list[float]:
    """The values of the numbers spelled in English words, `twenty-five` say."""
    return [_spelled(match.group()) for match in _WORD_NUMBER.finditer(text)]


def _spelled(phrase: str) -> float:
    total = current = 0.0
    for word in re.split(r"[\s-]+", phrase.lower()):
        if word in _SMALL:
            current += _SMALL[word]
        elif word in _TENS:
            current += _TENS[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in _SCALE:
            total += max(current, 1) * _SCALE[word]
            current = 0.0
    return total + current


def same_value(one: float, other: float, tolerance: float = 1e-4) -> bool:
    """Equality up to rounding noise: relative tolerance, and an absolute one for values near zero."""
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-9)


def same_quantity(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities mean the same. A unit that only one side states is no contradiction.

    One side in percent and the other as a share (25 % and 0.25), dollars and cents, are the same quantity.
    """
    units = {one.unit, other.unit} - {""}
    if same_value(one.value, other.value) or _rounded_alike(one, other):
        return len(units) < 2 or one.unit == other.unit
    if "percent" in units and one.unit != other.unit:
        percent, share = (one, other) if one.unit == "percent" else (other, one)
        near = percent.decimals >= 1 and abs(percent.value / 100 - share.value) <= 0.5001 * 10.0 ** -(
            percent.decimals + 2
        )
        return abs(share.value) <= 1 and (same_value(percent.value / 100, share.value) or near)
    if units == {"usd", "cent"}:
        cents, dollars = (one, other) if one.unit == "cent" else (other, one)
        return same_value(cents.value / 100, dollars.value)
    return False


def _rounded_alike(one: Quantity, other: Quantity) -> bool:
    """Whether two decimals differ only by how far they were rounded: 33.3 and 33.33, but not 0.5 and 0.48."""
    places = min(one.decimals, other.decimals)
    near = abs(one.value - other.value) <= 0.5001 * 10.0**-places
    return places >= 1 and near and same_value(one.value, other.value, 5e-3)


def to_quantity(text: str) -> Quantity | None:
    """The one quantity that a short final answer states; None where it states none or several that differ."""
    text = grouped(strip_latex(clean(text)))
    found = quantities(text)
    if not found:
        spelled = spelled_numbers(text)
        return Quantity(value=spelled[0], unit="", start=0, end=len(text)) if len(set(spelled)) == 1 else None
    if len({q.value for q in found}) == 1:
        return found[0]
    return None
