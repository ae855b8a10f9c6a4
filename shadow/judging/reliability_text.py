"""What does a reliability diagram look like on a terminal, and how is it kept as JSON?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shadow.statistics.judge_reliability import Bin, Reliability

_WIDTH = 41  # of the scale from 0 to 1: one place for each 2.5 points


def reliability_json(found: Reliability) -> dict[str, Any]:
    """The diagram's figures as JSON."""
    error = found.error
    return {
        "n": found.n,
        "calibration_error": error.value,
        "calibration_error_interval": None if error.low is None else [error.low, error.high],
        "mean_probability": found.mean,
        "label_rate": found.share,
        "bins": [asdict(one) for one in found.bins],
    }


def reliability_lines(found: Reliability) -> list[str]:
    """One line per bin: what was said (|), what was true (o) and its 95 % interval (dashes)."""
    head = f"{'bin':<9}{'pairs':>6}  {'said':>5}  {'true':>5}  0{' ' * (_WIDTH - 2)}1"
    return [head, *(_line(one) for one in found.bins)]


def _line(one: Bin) -> str:
    scale = [" "] * _WIDTH
    for place in range(_place(one.share_low), _place(one.share_high) + 1):
        scale[place] = "-"
    scale[_place(one.mean)] = "|"
    scale[_place(one.share)] = "o" if _place(one.share) != _place(one.mean) else "*"
    return f"{one.low:.1f}-{one.high:.1f}  {one.n:>6}  {one.mean:>5.2f}  {one.share:>5.2f}  {''.join(scale)}"


def _place(value: float) -> int:
    return round(min(max(value, 0.0), 1.0) * (_WIDTH - 1))
