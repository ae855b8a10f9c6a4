"""How are numbers, money and moments written for people? Short, with as many digits as they deserve."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from math import floor, log10

NOTHING = "–"


def percent(rate: float | None, digits: int = 1) -> str:
    """0.9563 is `95.6 %`."""
    return NOTHING if rate is None else f"{100 * rate:.{digits}f}\u202f%"


def percent_interval(low: float, high: float | None, digits: int = 1) -> str:
    """The two ends in percent, the unit once."""
    end = "∞" if high is None else f"{100 * high:.{digits}f}"
    return f"{100 * low:.{digits}f} – {end}\u202f%"


def usd(amount: float | Decimal | None, significant: int = 3) -> str:
    """Cents where they matter, three significant digits below a dollar: `$1,204`, `$20`, `$5.01`, `$0.37`, `$0.00214`."""
    if amount is None:
        return "∞"
    value = float(amount)
    sign, size = ("−" if value < 0 else ""), abs(value)
    if size == 0:
        return "$0"
    if size >= 1000:
        return f"{sign}${size:,.0f}"
    if size >= 1:
        return f"{sign}${size:.2f}".removesuffix(".00")
    digits = min(9, significant - 1 - floor(log10(size)))
    whole, _, cents = f"{size:.{digits}f}".partition(".")
    return f"{sign}${whole}.{cents.rstrip('0').ljust(2, '0')}"


def count(number: float) -> str:
    """Whole numbers with thin spaces between thousands."""
    return f"{round(number):,}".replace(",", "\u202f")


def clock(moment: datetime) -> str:
    """`2026-03-14 09:05:12`, UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def ago(moment: datetime, now: datetime) -> str:
    """`12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`."""
    seconds = max(0, round((now - moment).total_seconds()))
    for width, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * width or (width < 86400 and seconds >= width):
            return f"{seconds // width} {unit} ago"
    return f"{seconds} s ago"


def duration(seconds: float) -> str:
    """`15 s`, `15 min`, `12 h`, `28 days`."""
    for width, unit in ((86400, "day"), (3600, "h"), (60, "min")):
        if seconds >= width:
            number = f"{seconds / width:.1f}".removesuffix(".0")
            return f"{number} {unit}" + ("s" if unit == "day" and number != "1" else "")
    return f"{seconds:g} s"


def plain(name: str) -> str:
    """`low_confidence` is `low confidence`."""
    return name.replace("_", " ")
