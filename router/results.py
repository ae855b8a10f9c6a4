"""What came of asking the models of a plan?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from router.answers import Answer, Usage
from router.complaints import ComplaintKind
from router.pool import Target
from router.settings.values import Flaw

__all__ = ["Completed", "Flaw", "Refused", "Trial", "Validation"]

Validation = Literal["passed", "failed", "skipped"]


@dataclass(slots=True)
class Trial:
    """One call in flight. usage: what it is known to have been billed for, should it fail now."""

    target: Target
    clock_sent: float
    usage: Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A whole completion, as bytes and as facts.

    flaw: why a better answer would be welcome. validation: what became of the JSON that the client asked for, None where it
    asked for none.
    """

    target: Target
    body: bytes
    content_type: bytes
    answer: Answer
    request_id: str | None
    flaw: Flaw | None = None
    validation: Validation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The provider turned the request down; its words pass through unless another model may answer."""

    target: Target
    kind: ComplaintKind
    status: int
    body: bytes
    content_type: str
    request_id: str | None

    @property
    def error_kind(self) -> str:
        return f"http_{self.status}" if self.kind == "other" else self.kind
