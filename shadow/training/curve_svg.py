"""What does the cost-accuracy curve look like? An SVG drawn by hand: no plotting library for one line."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from shadow.training.axes_svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, axis_x, axis_y


def curve_svg(report: Mapping[str, Any]) -> str:
    """The curve of an evaluation with its 95 % band, the tiers alone as points, and random routing between them."""
    curve = sorted(report["curve"], key=lambda point: point["usd_per_1000"]["value"])
    tiers = report["tiers"]
    costs = [point["usd_per_1000"]["value"] for point in curve] + [t["usd_per_1000"]["value"] for t in tiers.values()]
    bounds = [_bound(point["accuracy"], side) for point in curve for side in ("low", "high")]
    bounds += [tier["accuracy"]["value"] for tier in tiers.values()]
    x, y = Scale(costs, LEFT, WIDTH - RIGHT), Scale(bounds, HEIGHT - BOTTOM, TOP)

    def at(point: Mapping[str, Any], side: str = "value") -> str:
        return f"{x(point['usd_per_1000']['value']):.1f},{y(_bound(point['accuracy'], side)):.1f}"

    band = " ".join([*(at(point, "high") for point in curve), *(at(point, "low") for point in reversed(curve))])
    line = " ".join(at(point) for point in curve)
    ends = [tiers[report["routing"][name]] for name in ("weak", "strong")]
    marks = "".join(_mark(name, x(t["usd_per_1000"]["value"]), y(t["accuracy"]["value"])) for name, t in tiers.items())
    scorer = escape(str(report["model"].get("version") or report["model"]["kind"]))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">
<title>Cost and accuracy by threshold</title>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
<text x="{LEFT}" y="24" font-size="15">Accuracy and cost by threshold, {report["selected"]} requests, model {scorer}</text>
{axis_x(x)}{axis_y(y)}
<polygon points="{band}" fill="#2563eb" fill-opacity="0.15"/>
<polyline points="{at(ends[0])} {at(ends[1])}" fill="none" stroke="#6b7280" stroke-dasharray="5 4"/>
<polyline points="{line}" fill="none" stroke="#2563eb" stroke-width="2"/>
{marks}
<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">USD per 1000 requests</text>
<text x="{WIDTH - RIGHT}" y="{HEIGHT - 12}" text-anchor="end" fill="#6b7280">band: 95 %; dashed: random routing</text>
</svg>
"""


def _bound(figure: Mapping[str, float | None], side: str) -> float:
    value = figure[side] if figure[side] is not None else figure["value"]
    return 0.0 if value is None else value


def _mark(name: str, x: float, y: float) -> str:
    left = x > WIDTH / 2
    anchor, away = ("end", -8) if left else ("start", 8)
    label = f'<text x="{x + away:.1f}" y="{y + 16:.1f}" text-anchor="{anchor}">all on {escape(name)}</text>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#111827"/>{label}'
