"""Which measure does a short answer state, in units that can be converted: 90 minutes or 1.5 hours, 5 km or 5,000 m?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from judges.quantities import quantities, same_value, strip_latex
from judges.text import clean

_TABLE = {
    "time": "s sec secs second seconds=1; min mins minute minutes=60; h hr hrs hour hours=3600; "
    "day days=86400; week weeks=604800",
    "length": "mm millimeter millimeters millimetre millimetres=.001; cm centimeter centimeters centimetre centimetres=.01; "
    "m meter meters metre metres=1; km kilometer kilometers kilometre kilometres=1000; inch inches=.0254; "
    "ft foot feet=.3048; yd yard yards=.9144; mile miles=1609.344",
    "mass": "mg milligram milligrams=.001; g gram grams=1; kg kilogram kilograms kilo kilos=1000; tonne tonnes=1000000; "
    "oz ounce ounces=28.349523; lb lbs pound pounds=453.59237",
    "volume": "ml milliliter milliliters millilitre millilitres=.001; cl centiliter centiliters centilitre centilitres=.01; "
    "dl=.1; l liter liters litre litres=1; pint pints=.473176; quart quarts=.946353; gallon gallons=3.785412",
    "data": "byte bytes=1; kb kilobyte kilobytes=1000; mb megabyte megabytes=1000000; gb gigabyte gigabytes=1000000000",
}
_UNITS: dict[str, tuple[str, float]] = {
    name: (dimension, float(factor))
    for dimension, rows in _TABLE.items()
    for row in rows.split("; ")
    for names, factor in [row.split("=")]
    for name in names.split()
}
_AFTER = re.compile(r"\s*-?\s*([a-zA-Z]{1,11})\b\.?(?!\s*(?:/|\^|per\b|²|³))")
_SQUARED = re.compile(
    r"\b(?:square|cubic|sq|cu)\b|[²³]|\^\s*\{?[23]|\d\s*[a-zA-Z]{1,6}[23]\b|/|\bper\b|\bmph\b", re.IGNORECASE
)
_JOIN = re.compile(r"[\s,]*(?:and)?[\s,]*", re.IGNORECASE)
_ASKED = re.compile(
    r"\bhow many (?:more |fewer |total |whole )?([a-z]{1,11})\b|\bin ([a-z]{2,11})(?=[?.,!]|\s*$)", re.IGNORECASE
)
_ROUNDED = 2e-3  # a mile is 1.609 km as most people say it


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """value: in the dimension's base unit. several: stated in more than one unit, `1 hour 30 minutes`."""

    dimension: str
    value: float
    several: bool = False


def measure_of(text: str) -> Measure | None:
    """The one measure that a text states, its parts added up; None where it states none, another number besides, or a rate."""
    if len(text) > 200:
        return None
    text = strip_latex(clean(text)).replace("~", " ")
    if _SQUARED.search(text):
        return None
    parts: list[tuple[str, float]] = []
    total, end = 0.0, 0
    for quantity in quantities(text):
        unit = _AFTER.match(text, quantity.end)
        known = _UNITS.get(unit[1].lower()) if unit is not None and not quantity.unit else None
        if unit is None or known is None or (parts and not _JOIN.fullmatch(text[end : quantity.start])):
            return None
        if parts and (known[0] != parts[0][0] or known[1] >= parts[-1][1]):
            return None
        parts.append(known)
        end = unit.end()
        total += quantity.value * known[1]
    return Measure(dimension=parts[0][0], value=total, several=len(parts) > 1) if parts else None


def same_measure(one: str, other: str, prompt: str = "") -> bool | None:
    """Whether both state the same measure; None unless both state one in units that can be told.

    Where just one side names its unit, the other's is the one that the question asks for.
    """
    left, right = measure_of(one), measure_of(other)
    if left is None and right is None:
        return None
    if left is None or right is None:
        return _by_question(left or right, other if left else one, prompt)
    if left.dimension != right.dimension:
        return None
    return same_value(left.value, right.value, _ROUNDED)


def _by_question(measure: Measure | None, bare: str, prompt: str) -> bool | None:
    """True where a bare number, in the unit asked for, is the measure; None otherwise: the question may ask for anything."""
    found = quantities(strip_latex(clean(bare)))
    if measure is None or len({q.value for q in found}) != 1 or found[0].unit:
        return None
    for names in _ASKED.findall(prompt[-1_500:]):
        known = _UNITS.get("".join(names).lower())
        if known is not None and known[0] == measure.dimension:
            return True if same_value(found[0].value * known[1], measure.value, _ROUNDED) else None
    return None
