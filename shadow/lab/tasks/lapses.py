"""How does a model fail without being wrong about the matter? It refuses, breaks off, or says next to nothing."""

from __future__ import annotations

import random
from typing import Literal

#: How a tier writes: the cheap one in shorthand, the middle one plainly, the top one at length.
Style = Literal["terse", "plain", "thorough"]
STYLES: tuple[Style, ...] = ("terse", "plain", "thorough")

#: Share of the failures of a style that are lapses rather than wrong answers.
LAPSE_SHARE: dict[Style, float] = {"terse": 0.15, "plain": 0.05, "thorough": 0.02}

_REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I'm unable to answer this without more information.",
    "Sorry, I cannot complete this request.",
    "As a language model I can't determine that from what was given.",
)
_NOTHINGS = ("", "...", "OK.", "Sure!", "N/A", "Done.")


def refusal(rng: random.Random) -> str:
    """A polite no."""
    return rng.choice(_REFUSALS)


def lapse(text: str, style: Style, rng: random.Random) -> str | None:
    """A lapse in place of the text, or None where the style does not lapse this time."""
    if rng.random() >= LAPSE_SHARE[style]:
        return None
    way = rng.random()
    if way < 0.35:
        return refusal(rng)
    if way < 0.80 and len(text) > 24:
        return text[: int(len(text) * rng.uniform(0.25, 0.7))].rstrip()
    return rng.choice(_NOTHINGS)
