"""Which recorded judge texts does this file hold, what do they say, and which line is wrong, and why?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from judges.parsers.formats import read_judgement
from judges.parsers.reading import Order, Reading, Value
from shadow.json_lines import BadLine, read_objects

_CHOICES = ("A", "B", "tie")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One good line, read. recorded: the verdict that the file itself holds. human: None where nobody said.

    a, b: the two answers; b is None where one answer was graded. record: the line's object, for grouping.
    """

    line: int
    id: str | int
    prompt: str
    a: str
    b: str | None
    judge: str
    order: Order | None
    human: Value | None
    recorded: Value | None
    reading: Reading
    record: Mapping[str, Any]

    @property
    def pair(self) -> tuple[str, str, str | None]:
        """What was judged, whatever the order."""
        return self.prompt, self.a, self.b


def read_judgements(path: Path) -> Iterator[Judgement | BadLine]:
    """Every line of a file of judgements, plain or gzip, in order. Raises: ConfigError where the file cannot be opened."""
    for found in read_objects(path):
        yield found if isinstance(found, BadLine) else _judgement(*found)


def _judgement(number: int, value: dict[str, Any]) -> Judgement | BadLine:
    identity = value.get("id")
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        return BadLine(line=number, reason='"id" has to be a string or a whole number')
    try:
        judge, order, raw = _text(value, "judge"), _order(value.get("order")), _optional(value, "raw")
        return Judgement(
            line=number,
            id=identity,
            prompt=_text(value, "prompt"),
            a=_text(value, "a"),
            b=_optional(value, "b"),
            judge=judge,
            order=order,
            human=_verdict(value, "human"),
            recorded=_verdict(value, "parsed"),
            reading=read_judgement(raw, order, judge=judge),
            record=value,
        )
    except ValueError as exc:
        return BadLine(line=number, reason=str(exc), id=identity)


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str):
        raise ValueError(f'"{key}" has to be a string')
    return found


def _optional(value: Mapping[str, Any], key: str) -> str | None:
    found = value.get(key)
    if found is not None and not isinstance(found, str):
        raise ValueError(f'"{key}" has to be a string or null')
    return found


def _order(found: Any) -> Order | None:
    if found is not None and found not in get_args(Order):
        raise ValueError('"order" has to be "ab", "ba" or null')
    order: Order | None = found
    return order


def _verdict(value: Mapping[str, Any], key: str) -> Value | None:
    found = value.get(key)
    if isinstance(found, int | float) and not isinstance(found, bool):
        return float(found)
    if found is None:
        return None
    if found not in _CHOICES:
        raise ValueError(f'"{key}" has to be "A", "B", "tie", a number or null')
    choice: Value = found
    return choice
