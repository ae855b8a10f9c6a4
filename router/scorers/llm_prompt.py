"""What is a small model asked about a request, and what did it say? The prompt, and the strict reading of its reply.

The request is written by others: it stands between fences of a random word that it cannot know, and a reply counts only if it
repeats that word, so that a model which merely echoes what it was shown says nothing.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template
from typing import Any

import orjson

from router.contracts import Features

#: Version of prompts and parsing: a change of either raises it, and gives the files a new number.
VERSION = 1
_LINE = "CHANCES"
_HEAD_SHARE = 0.75  # of a text that is cut: what is asked mostly stands first, or last
_CUT = "\n[... {} characters left out ...]\n"
_NUMBER = r"(0(?:\.\d{1,6})?|1(?:\.0{1,6})?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The messages of one call, and the word that the reply has to repeat."""

    messages: list[dict[str, str]]
    nonce: str


class ChancePrompt:
    """The prompt for these tiers. described: (tier, model) in the order of the tiers, cheapest first."""

    def __init__(self, described: Sequence[tuple[str, str]], *, max_characters: int, as_json: bool) -> None:
        self.tiers = tuple(tier for tier, _ in described)
        self.as_json = as_json
        self._max_characters = max_characters
        self._request = _template("request")
        self._line = re.compile(rf"{_LINE} ([0-9a-f]+) {' '.join([_NUMBER] * len(self.tiers))}")
        self._system = _template("chances-json" if as_json else "chances-line").substitute(
            tiers="\n".join(f"- {tier}: {model}" for tier, model in described), example=self._example()
        )

    def question(self, features: Features, *, nonce: str | None = None) -> Question:
        """What to ask about a request. Cost: some 20 microseconds; the system message is the same for all requests."""
        nonce = nonce or secrets.token_hex(4)
        asked = self._request.substitute(
            nonce=nonce,
            words=features.words,
            turns=max(1, features.turns),
            tokens=features.conversation_tokens,
            tools="yes" if features.has_tools else "no",
            json="yes" if features.wants_json else "no",
            text=clipped(features.text, self._max_characters),
        )
        return Question(
            messages=[{"role": "system", "content": self._system}, {"role": "user", "content": asked}], nonce=nonce
        )

    def schema(self, nonce: str) -> dict[str, Any]:
        """The `response_format` that leaves no other reply than one that can be read."""
        chance = {"type": "number", "minimum": 0, "maximum": 1}
        properties: dict[str, Any] = {"mark": {"type": "string", "enum": [nonce]}, **dict.fromkeys(self.tiers, chance)}
        shape = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
        return {"type": "json_schema", "json_schema": {"name": "chances", "strict": True, "schema": shape}}

    def read(self, reply: str, nonce: str) -> dict[str, float] | None:
        """tier -> P(success), tiers in order; None for whatever is not exactly what was asked for."""
        return self._from_json(reply, nonce) if self.as_json else self._from_line(reply, nonce)

    def _from_json(self, reply: str, nonce: str) -> dict[str, float] | None:
        try:
            said = orjson.loads(reply)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(said, dict) or set(said) != {"mark", *self.tiers} or said["mark"] != nonce:
            return None
        chances = {tier: said[tier] for tier in self.tiers}
        for chance in chances.values():
            if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0 <= chance <= 1:
                return None
        return {tier: float(chance) for tier, chance in chances.items()}

    def _from_line(self, reply: str, nonce: str) -> dict[str, float] | None:
        match = self._line.fullmatch(reply.strip())
        if match is None or match[1] != nonce:
            return None
        return {tier: float(number) for tier, number in zip(self.tiers, match.groups()[1:], strict=True)}

    def _example(self) -> str:
        step = 0.4 / max(1, len(self.tiers) - 1)
        numbers = [round(0.5 + step * rank, 2) for rank in range(len(self.tiers))]
        if self.as_json:
            return orjson.dumps({"mark": "0a1b2c3d", **dict(zip(self.tiers, numbers, strict=True))}).decode()
        return " ".join([_LINE, "0a1b2c3d", *(f"{number:.2f}" for number in numbers)])


def clipped(text: str, most: int) -> str:
    """At most `most` characters of a text, its beginning and its end; what can't be sent is replaced."""
    if len(text) > most:
        head = int(most * _HEAD_SHARE)
        text = text[:head] + _CUT.format(len(text) - most) + text[len(text) - (most - head) :]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _template(name: str) -> Template:
    file = resources.files("router.scorers").joinpath("prompts", f"{name}-{VERSION}.txt")
    return Template(file.read_text(encoding="utf-8"))
