"""What do cost and accuracy of the policies look like on a terminal? A plot of characters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shadow.replay.frontier_svg import is_wide, marks_of
from shadow.training.axes_svg import Scale

_COLUMNS, _LINES = 64, 14
_SIGNS = {"start": "S", "best": "B", "oracle": "O", "tuned": "T"}


def frontier_plot(report: Mapping[str, Any]) -> str:
    """Some 18 lines of 74 characters: dots are the best policies in hindsight, digits single tiers."""
    marks, curve = marks_of(report), report["frontier"]["curve"]
    points = [*curve, *(at for _, _, at in marks)]
    x = Scale([at["usd_per_1000"] for at in points], 0, _COLUMNS - 1, log=is_wide(report))
    y = Scale([at["accuracy"] for at in points], _LINES - 1, 0)
    canvas = [[" "] * _COLUMNS for _ in range(_LINES)]

    def put(at: Mapping[str, float], sign: str) -> None:
        canvas[round(y(at["accuracy"]))][round(x(at["usd_per_1000"]))] = sign

    for at in curve:
        put(at, "·")
    tier = 0
    for kind, _, at in marks:
        tier += kind == "tier"
        put(at, str(tier) if kind == "tier" else _SIGNS[kind])
    lines = []
    for number, cells in enumerate(canvas):
        value = y.high - (y.high - y.low) * number / (_LINES - 1)
        label = f"{100 * value:5.1f} %" if number % 4 == 0 or number == _LINES - 1 else " " * 7
        lines.append(f"{label} │{''.join(cells)}".rstrip())
    ticks = x.ticks()
    axis = "└" + "─" * _COLUMNS
    ends = f"{ticks[0]:.3g}".ljust(_COLUMNS // 2 - 4) + f"{ticks[len(ticks) // 2]:.3g}".ljust(_COLUMNS // 2 - 4)
    scale = " (logarithmic)" if x.is_log else ""
    names = ", ".join(f"{place + 1} always {name}" for place, name in enumerate(report["frontier"]["always"]))
    key = f"· best in hindsight, T tuned, S start, B best fixed, O oracle, {names}"
    return "\n".join(
        [*lines, " " * 8 + axis, " " * 9 + ends + f"{ticks[-1]:.3g}", f"USD per 1000 requests{scale}. {key}."]
    )
