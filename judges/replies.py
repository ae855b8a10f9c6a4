"""What does the body of a chat completion say, what did it cost, and what does a refusal to answer ask for?"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from judges.text import clean

MILLION = Decimal(1_000_000)
#: Bytes of text that make a token where nobody counted them; rather too many tokens than too few.
_BYTES_A_TOKEN = 3
#: Tokens that no call has: what says more is nonsense, not a bill.
_MOST_TOKENS = 20_000_000
_MAX_MESSAGE = 200
#: How a reply ends that is not all the model meant to say.
_UNFINISHED = frozenset({"length", "max_tokens", "content_filter"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """USD per million tokens."""

    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal

    def cost_usd(self, input_tokens: int, output_tokens: int) -> Decimal:
        return (input_tokens * self.input_usd_per_mtok + output_tokens * self.output_usd_per_mtok) / MILLION


def estimated_tokens(text: str) -> int:
    """Tokens of a text that nobody counted."""
    return len(text.encode("utf-8", "replace")) // _BYTES_A_TOKEN + 1


def json_object(body: bytes) -> Mapping[str, Any] | None:
    """The object that a body holds; None for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None


def first_choice(body: Mapping[str, Any]) -> tuple[str, bool]:
    """Text of the first choice, empty where the body has another shape; and whether it is not all that was meant to be said."""
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, Mapping):
        return "", False
    message = first.get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(content, list):  # in parts; what the model thought is none of the text
        parts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
        content = "".join(part for part in parts if isinstance(part, str))
    reason = first.get("finish_reason")
    return content if isinstance(content, str) else "", isinstance(reason, str) and reason in _UNFINISHED


def billed_usd(body: Mapping[str, Any], rates: Rates, *, prompt: str, text: str) -> Decimal:
    """What a reply cost by its usage; by the length of prompt and text where it tells none that can be believed."""
    usage = body.get("usage")
    told = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")] if isinstance(usage, Mapping) else []
    tokens = [n for n in told if isinstance(n, int) and not isinstance(n, bool) and 0 <= n <= _MOST_TOKENS]
    if len(tokens) != 2:
        tokens = [estimated_tokens(prompt), estimated_tokens(text)]
    return rates.cost_usd(*tokens)


def said_why(body: bytes) -> str:
    """The message of an error body on one short line; empty where there is none."""
    error = (json_object(body) or {}).get("error")
    message = error.get("message") if isinstance(error, Mapping) else error
    return " ".join(clean(message).split())[:_MAX_MESSAGE] if isinstance(message, str) else ""


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """How long a provider wants to be left alone; 0 where it does not say so in seconds."""
    try:
        seconds = float(headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0
