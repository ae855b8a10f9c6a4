"""Who answers where a judge needs a model and there is none? Scripts: they show what it makes of a reply, not how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judges.chat import Output, Reply


class ScriptedModel:
    """Answers with the given replies in turn, the last one for ever."""

    model = "scripted"
    output: Output = "line"
    identity = "scripted"

    def __init__(self, replies: Sequence[str]) -> None:
        self._replies = list(replies)

    async def ask(self, prompt: str, *, schema: Mapping[str, Any] | None = None) -> Reply:
        """The next reply; free."""
        text = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return Reply(text=text, cut_off=False, cost_usd=Decimal(0))


class ScriptedClassifier:
    """Calls a claim entailed where the premise holds it word for word, neutral otherwise."""

    def classify(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Shape (pairs, 3)."""
        said = [(1.0, 0.0, 0.0) if claim in premise else (0.0, 1.0, 0.0) for premise, claim in pairs]
        return np.array(said, dtype=np.float64).reshape(len(pairs), 3)
