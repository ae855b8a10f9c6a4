"""How are values put on the axes of a drawing? Shared by the SVGs that are drawn by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 24, 48, 56
_TICKS = 5


class Scale:
    """A map of the values onto pixels, linear or, with `log` and all values above 0, logarithmic."""

    def __init__(self, values: Sequence[float], start: float, end: float, *, log: bool = False) -> None:
        self.low, self.high = min(values), max(values)
        self.is_log = log and self.low > 0
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        low, high = self._put(self.low), self._put(self.high)
        return self._start + (self._end - self._start) * (
            (self._put(value) - low) / (high - low) if high > low else 0.5
        )

    def ticks(self) -> list[float]:
        """Values from end to end, evenly spaced on the drawing."""
        low, high = self._put(self.low), self._put(self.high)
        even = [low + (high - low) * step / (_TICKS - 1) for step in range(_TICKS)]
        return [math.exp(value) for value in even] if self.is_log else even

    def _put(self, value: float) -> float:
        return math.log(max(value, self.low)) if self.is_log else value


def axis_x(x: Scale) -> str:
    """Vertical lines with their values below."""
    foot = HEIGHT - BOTTOM
    return "".join(
        f'<line x1="{x(v):.1f}" y1="{TOP}" x2="{x(v):.1f}" y2="{foot}" stroke="#e5e7eb"/>'
        f'<text x="{x(v):.1f}" y="{foot + 18}" text-anchor="middle">{v:.3g}</text>'
        for v in x.ticks()
    )


def axis_y(y: Scale) -> str:
    """Horizontal lines with their values, in percent, to the left."""
    return "".join(
        f'<line x1="{LEFT}" y1="{y(v):.1f}" x2="{WIDTH - RIGHT}" y2="{y(v):.1f}" stroke="#e5e7eb"/>'
        f'<text x="{LEFT - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{v:.1%}</text>'
        for v in y.ticks()
    )
