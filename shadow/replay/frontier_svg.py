"""What do cost and accuracy of the policies look like? An SVG drawn by hand, like that of `shadow evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from shadow.training.axes_svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, axis_x, axis_y

_LOG_RATIO = 8.0
_MARGIN = 0.05
_LETTER, _LINE = 6.4, 14.0  # of the labels, in pixels
_COLOURS = {"tier": "#111827", "start": "#6b7280", "best": "#059669", "oracle": "#7c3aed", "tuned": "#dc2626"}


def marks_of(report: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, float]]]:
    """(kind, name, point) of all that is marked: single tiers, starting policy, best fixed policy, oracle, tuned policy."""
    frontier, policy = report["frontier"], report["tuning"]["policy"]
    marks = [("tier", f"always {name}", at) for name, at in frontier["always"].items()]
    marks.append(("start", "starting policy", frontier["starting_policy"]))
    marks.append(("best", "best fixed policy", frontier["best_fixed_policy"]))
    marks.append(("oracle", "oracle", frontier["oracle"]))
    tuned = {name: policy[name]["value"] for name in ("accuracy", "usd_per_1000")}
    marks.append(("tuned", "tuned, mean of the runs", tuned))
    return marks


def is_wide(report: Mapping[str, Any]) -> bool:
    """Whether costs are so far apart that they need a logarithmic axis."""
    costs = [at["usd_per_1000"] for _, _, at in marks_of(report)]
    return min(costs) > 0 and max(costs) / min(costs) > _LOG_RATIO


def frontier_svg(report: Mapping[str, Any]) -> str:
    """The curve of the best policies in hindsight, with the marks, and where 95 % of the tuned policies lie."""
    curve, marks, policy = report["frontier"]["curve"], marks_of(report), report["tuning"]["policy"]
    points = [*curve, *(at for _, _, at in marks)]
    span = {name: _ends(policy[name]) for name in ("accuracy", "usd_per_1000")}
    aside, above = _MARGIN * (WIDTH - RIGHT - LEFT), _MARGIN * (HEIGHT - BOTTOM - TOP)
    costs = [*(at["usd_per_1000"] for at in points), *span["usd_per_1000"]]
    accuracies = [*(at["accuracy"] for at in points), *span["accuracy"]]
    x = Scale(costs, LEFT + aside, WIDTH - RIGHT - aside, log=is_wide(report))
    y = Scale(accuracies, HEIGHT - BOTTOM - above, TOP + above)
    line = " ".join(f"{x(at['usd_per_1000']):.1f},{y(at['accuracy']):.1f}" for at in curve)
    left, right = map(x, span["usd_per_1000"])
    low, high = map(y, span["accuracy"])
    dots = [(kind, name, x(at["usd_per_1000"]), y(at["accuracy"])) for kind, name, at in marks]
    drawn = _marks(dots)
    scale = ", logarithmic" if x.is_log else ""
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<title>Cost and accuracy of policies</title>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
<text x="{LEFT}" y="24" font-size="15">Accuracy and cost of policies, {report["rows"]} requests, {report["repeat"]} runs</text>
{axis_x(x)}{axis_y(y)}
<polyline points="{line}" fill="none" stroke="#2563eb" stroke-width="2"/>
<rect x="{left:.1f}" y="{high:.1f}" width="{right - left:.1f}" height="{low - high:.1f}" fill="#dc2626" fill-opacity="0.12"/>
{drawn}
<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">USD per 1000 requests{scale}</text>
<text x="{LEFT}" y="40" fill="#6b7280">line: best in hindsight; box: 95 % of the policies with which runs end</text>
</svg>
"""


def _ends(figure: Mapping[str, Any]) -> tuple[float, float]:
    value = figure["value"]
    return (
        value if figure["run_low"] is None else figure["run_low"],
        value if figure["run_high"] is None else figure["run_high"],
    )


def _marks(dots: list[tuple[str, str, float, float]]) -> str:
    """Dots with their names, each on the side where there is room, moved up or down until it covers no other name or dot."""
    taken = [(x - 5, x + 5, y) for _, _, x, y in dots]
    drawn = []
    for kind, name, x, y in dots:
        left = x > WIDTH / 2
        width = _LETTER * len(name)
        start = x - 8 - width if left else x + 8
        tried = [y + 4 + step * _LINE for step in (1, -1, 2, -2, 3, -3, 4, -4)]
        at = next((one for one in tried if not _hits(taken, start, start + width, one - 4)), tried[0])
        taken.append((start, start + width, at - 4))
        colour, anchor, away = _COLOURS[kind], "end" if left else "start", -8 if left else 8
        drawn.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
            f'<text x="{x + away:.1f}" y="{at:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(name)}</text>'
        )
    return "".join(drawn)


def _hits(taken: list[tuple[float, float, float]], start: float, end: float, y: float) -> bool:
    """Whether a name from start to end at height y covers something, or leaves the frame."""
    outside = not TOP < y < HEIGHT - BOTTOM
    return outside or any(start < right and left < end and abs(y - other) < _LINE - 1 for left, right, other in taken)
