"""What is a row of the table of bars, and is its bar met?"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A figure from `runs` simulated runs and its bar: at most, at least, or none (shown for comparison).

    rate: the bar is an error rate that runs can only estimate, so 2.33 Monte Carlo errors are allowed on top.
    """

    what: str
    runs: int
    found: float
    at_most: float | None = None
    at_least: float | None = None
    rate: bool = False

    @property
    def met(self) -> bool:
        allowance = 2.33 * sqrt((self.at_most or 0.0) * (1 - (self.at_most or 0.0)) / self.runs) if self.rate else 0.0
        return (self.at_most is None or self.found <= self.at_most + allowance) and (
            self.at_least is None or self.found >= self.at_least
        )

    def line(self) -> str:
        bar = "" if self.at_most is None else f"<= {self.at_most:g}{' + allowance' if self.rate else ''}"
        bar = bar if self.at_least is None else f">= {self.at_least:g}"
        verdict = "" if not bar else "met" if self.met else "MISSED"
        return f"{self.what:88} {self.runs:6} {self.found:8.4f}  {bar:18} {verdict}"
