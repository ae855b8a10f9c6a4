"""How is a language model asked one prompt, and what does it reply? The port; `judges.http_model` is the adapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Protocol

#: How a model is made to state its verdict: in one strict last line, or as an object of a JSON schema that its provider enforces.
Output = Literal["line", "json_schema"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the model wrote. cut_off: it ran into the token limit or a filter, so that its last line is not the one it meant."""

    text: str
    cut_off: bool
    cost_usd: Decimal


class CallFailedError(Exception):
    """One call failed for good, with its reason: an abstention of this model, never a grade.

    cost_usd: what it may have cost all the same. An attempt that was given up unanswered counts as billed in full.
    """

    def __init__(self, reason: str, *, cost_usd: Decimal = Decimal(0)) -> None:
        super().__init__(reason)
        self.cost_usd = cost_usd


class ChatModel(Protocol):
    """A model that a judge asks."""

    @property
    def model(self) -> str:
        """The model id that the provider knows."""
        ...

    @property
    def output(self) -> Output:
        """How it is made to state its verdict."""
        ...

    @property
    def identity(self) -> str:
        """A hash of what its replies depend on: address, model, limits. Holds no key."""
        ...

    async def ask(self, prompt: str, *, schema: Mapping[str, Any] | None = None) -> Reply:
        """One prompt, one reply. Raises: CallFailedError, JudgeUnavailable where key, address or model is refused."""
        ...
