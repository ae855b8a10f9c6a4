"""How did a scenario end, and is that the right end?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """state, expected: words. evidence: a summary of what the state rests on. message: what the webhook was told, None: nothing.

    checks: name -> whether it holds; the scenario is right only if all do. audit: what `verify` says of the chain.
    """

    scenario: str
    state: str
    expected: str
    evidence: Mapping[str, Any]
    message: Mapping[str, Any] | None
    checks: Mapping[str, bool]
    audit: Mapping[str, Any]
    requests: int
    failed: int
    seconds: float
    config: str

    @property
    def ok(self) -> bool:
        return self.state == self.expected and all(self.checks.values())

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}

    def lines(self) -> list[str]:
        """For a terminal."""
        marks = [f"  {'✓' if holds else '✗'} {name}" for name, holds in self.checks.items()]
        said = self.message.get("title") if self.message else None
        return [
            f"{self.scenario}: {self.state}" + ("" if self.state == self.expected else f", expected {self.expected}"),
            *marks,
            *(f"  {name}: {value}" for name, value in self.evidence.items()),
            f"  message: {said or 'none arrived'}",
            f"{self.requests:,} requests served, {self.failed:,} failed, {self.seconds:.0f} s; {self.config}",
        ]
