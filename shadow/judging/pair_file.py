"""Which pairs does this file hold, which of them are wanted, and which line is wrong, and why?"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from judges.contracts import Comparison
from shadow.json_lines import BadLine, parse_object, read_objects

Side = Literal["a", "b"]
_RUNS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One good line. record: the line's object, for selecting and grouping only; judges see the comparison."""

    line: int
    id: str | int
    comparison: Comparison
    label: int | None
    record: Mapping[str, Any]

    @property
    def cluster(self) -> str:
        """What is resampled as one: `meta.group`, else the question."""
        group = lookup(self.record, "meta.group")
        return str(group) if group is not None else normalised_prompt(self.comparison.prompt) or str(self.id)


def read_pairs(path: Path) -> Iterator[Pair | BadLine]:
    """Every line of a pairs file, plain or gzip, in order. Raises: ConfigError where the file cannot be opened."""
    for found in read_objects(path):
        yield found if isinstance(found, BadLine) else pair_of(*found)


def parse_line(raw: bytes, number: int) -> Pair | BadLine:
    """One line as a pair, or what is wrong with it. Unknown keys are ignored."""
    found = parse_object(raw, number)
    return found if isinstance(found, BadLine) else pair_of(number, found)


def pair_of(number: int, value: dict[str, Any]) -> Pair | BadLine:
    """A line's object as a pair, or what is wrong with it."""
    identity = value.get("id")
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        return BadLine(line=number, reason='"id" has to be a string or a whole number')
    try:
        comparison = _comparison(value)
        label = _label(value.get("label"))
    except ValueError as exc:
        return BadLine(line=number, reason=str(exc), id=identity)
    return Pair(line=number, id=identity, comparison=comparison, label=label, record=value)


def _comparison(value: Mapping[str, Any]) -> Comparison:
    schema = value.get("schema")
    return Comparison(
        prompt=_prompt(value),
        answer=_text(value, "answer", required=True) or "",
        reference=_text(value, "reference"),
        context=_text(value, "context"),
        query_type=_text(value, "query_type"),
        schema=schema if isinstance(schema, dict) else None,
        finish_reason=_text(value, "finish_reason"),
    )


def _text(value: Mapping[str, Any], key: str, *, required: bool = False) -> str | None:
    found = value.get(key)
    if found is None and not required:
        return None
    if not isinstance(found, str):
        raise ValueError(f'"{key}" has to be a string{"" if required else " or null"}')
    return found


def _prompt(value: Mapping[str, Any]) -> str:
    """`prompt`, or the last user message of `messages`."""
    prompt = value.get("prompt")
    if isinstance(prompt, str):
        return prompt
    messages = value.get("messages")
    if prompt is not None or not isinstance(messages, list):
        raise ValueError('"prompt" has to be a string, or "messages" a list')
    for message in reversed(messages):
        if isinstance(message, dict) and message.get("role") == "user":
            return _content(message.get("content"))
    raise ValueError('"messages" has no message of the user')


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "\n".join(text for text in texts if isinstance(text, str))
    raise ValueError('the "content" of a message has to be a string or a list of parts')


def _label(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in (0, 1):
        raise ValueError('"label" has to be 0, 1 or null')
    return int(value)


def lookup(record: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path such as `meta.answer_model`; None where there is none."""
    value: Any = record
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def group_name(value: Any) -> str:
    """How a value is written in conditions and groups: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def matches(record: Mapping[str, Any], conditions: Sequence[tuple[str, str]]) -> bool:
    """Whether every `key=value` condition holds."""
    return all(group_name(lookup(record, key)) == wanted for key, wanted in conditions)


def normalised_prompt(prompt: str) -> str:
    """Lower case, runs of anything but letters and digits as one space."""
    return _RUNS.sub(" ", prompt.lower()).strip()


def side_of(prompt: str, *, seed: int = 0) -> Side:
    """Which half of a file a prompt belongs to: the parity of SHA-256 of seed and normalised prompt."""
    digest = hashlib.sha256(f"{seed}\n{normalised_prompt(prompt)}".encode("utf-8", "surrogatepass")).digest()
    return "a" if digest[-1] % 2 == 0 else "b"
