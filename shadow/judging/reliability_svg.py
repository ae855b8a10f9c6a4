"""What does a reliability diagram look like as a picture? An SVG drawn by hand, for a file or a page."""

from __future__ import annotations

from html import escape

from shadow.statistics.judge_reliability import Bin, Reliability

_WIDTH, _HEIGHT = 520, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 44, 84
_TICKS = 5
_TALLEST = 26  # of the bars that say how many pairs a bin has


def reliability_svg(found: Reliability, title: str) -> str:
    """Share of acceptable answers against the probability that was said, with intervals; bars below: pairs per bin."""
    line = " ".join(f"{_x(one.mean):.1f},{_y(one.share):.1f}" for one in found.bins)
    most = max((one.n for one in found.bins), default=1)
    error = found.error
    interval = "" if error.low is None else f" [{error.low:.3f}, {error.high:.3f}]"
    said = "" if error.value is None else f", calibration error {error.value:.3f}{interval}"
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">
<title>{escape(title)}: reliability</title>
<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>
<text x="{_LEFT}" y="18" font-size="15">{escape(title)}</text>
<text x="{_LEFT}" y="35" fill="#6b7280">{found.n} labelled answers{said}</text>
{_axes()}
<polyline points="{_x(0)},{_y(0)} {_x(1)},{_y(1)}" fill="none" stroke="#6b7280" stroke-dasharray="5 4"/>
<polyline points="{line}" fill="none" stroke="#2563eb" stroke-width="2"/>
{"".join(_mark(one, most) for one in found.bins)}
<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">probability said; bars: answers in the bin</text>
<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">share acceptable, 95 % interval</text>
</svg>
"""


def _x(value: float) -> float:
    return _LEFT + (_WIDTH - _RIGHT - _LEFT) * value


def _y(value: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value


def _axes() -> str:
    foot = _HEIGHT - _BOTTOM
    parts = []
    for tick in range(_TICKS):
        value = tick / (_TICKS - 1)
        parts.append(
            f'<line x1="{_x(value):.1f}" y1="{_TOP}" x2="{_x(value):.1f}" y2="{foot}" stroke="#e5e7eb"/>'
            f'<line x1="{_LEFT}" y1="{_y(value):.1f}" x2="{_WIDTH - _RIGHT}" y2="{_y(value):.1f}" stroke="#e5e7eb"/>'
            f'<text x="{_x(value):.1f}" y="{foot + 16}" text-anchor="middle">{value:g}</text>'
            f'<text x="{_LEFT - 8}" y="{_y(value) + 4:.1f}" text-anchor="end">{value:.0%}</text>'
        )
    return "".join(parts)


def _mark(one: Bin, most: int) -> str:
    x, base = _x(one.mean), _HEIGHT - 26
    tall = _TALLEST * one.n / most
    left, right = _x(one.low) + 2, _x(one.high) - 2
    return (
        f'<line x1="{x:.1f}" y1="{_y(one.share_low):.1f}" x2="{x:.1f}" y2="{_y(one.share_high):.1f}" stroke="#2563eb"/>'
        f'<circle cx="{x:.1f}" cy="{_y(one.share):.1f}" r="4" fill="#2563eb"><title>said {one.mean:.2f}, true {one.share:.2f}, '
        f"{one.n} answers</title></circle>"
        f'<rect x="{left:.1f}" y="{base - tall:.1f}" width="{right - left:.1f}" height="{tall:.1f}" fill="#9ca3af"/>'
    )
