"""What does a file of labels look like, and what is wrong with a line of it?

A line is `{"sample_id", "which", "label", "reviewer", "labelled_at"}`. A form for a reviewer has the same lines, with what
there is to look at beside them and `label` null: filled in, it is a file of labels. Its answers are blind: `which` is a word
that only the store can turn back into a tier, the order within a sample goes by that word, no tier or model is named.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from shadow.json_lines import BadLine, parse_object, read_objects
from shadow.judging.prompts import question_of
from shadow.labels.labelling import Item
from shadow.store.labels import Label, WaitingSample, blind_name

#: How far the clock of whoever labelled may be ahead of ours.
_AHEAD = timedelta(hours=1)
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLine:
    """One good line. label: None where nobody has filled it in yet."""

    line: int
    label: Label | None


def read_labels(path: Path, *, reviewer: str | None, now: datetime) -> Iterator[LabelLine | BadLine]:
    """Every line of a labels file, plain or gzip, in order.

    reviewer: who labelled where a line does not say. now: when, where a line does not say. Raises: ConfigError where the file
    cannot be read.
    """
    for found in read_objects(path):
        yield found if isinstance(found, BadLine) else _label_line(*found, reviewer=reviewer, now=now)


def parse_line(raw: bytes, number: int, *, reviewer: str | None, now: datetime) -> LabelLine | BadLine:
    """One line as a label, or what is wrong with it. Unknown keys are ignored."""
    found = parse_object(raw, number)
    return found if isinstance(found, BadLine) else _label_line(number, found, reviewer=reviewer, now=now)


def _label_line(number: int, value: dict[str, Any], *, reviewer: str | None, now: datetime) -> LabelLine | BadLine:
    identity = value.get("sample_id")
    try:
        label = _label(value, reviewer=reviewer, now=now)
    except ValueError as exc:
        return BadLine(line=number, reason=str(exc), id=identity if isinstance(identity, str) else None)
    return LabelLine(line=number, label=label)


def _label(value: Mapping[str, Any], *, reviewer: str | None, now: datetime) -> Label | None:
    """Raises: ValueError with the reason."""
    sample_id, which = _sample_id(value.get("sample_id")), _name(value, "which")
    said = value.get("label")
    if said is None:
        return None
    if isinstance(said, bool) or not isinstance(said, int | float) or said not in (0, 1):
        raise ValueError('"label" has to be 0, 1 or null')
    if value.get("reviewer") is None and reviewer is None:
        raise ValueError('"reviewer" is missing: put it into the line, or give --reviewer')
    return Label(
        sample_id=sample_id,
        which=which,
        label=int(said),
        reviewer=_name(value, "reviewer") if value.get("reviewer") is not None else reviewer or "",
        labelled_at=_instant(value.get("labelled_at"), now),
    )


def _sample_id(value: Any) -> str:
    if isinstance(value, str):
        try:
            return str(uuid.UUID(value))
        except ValueError:
            raise ValueError('"sample_id" is no id of a sample') from None
    raise ValueError('"sample_id" has to be a string')


def _name(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str) or not found.strip():
        raise ValueError(f'"{key}" has to be a string')
    return checked_name(found, f'"{key}"')


def checked_name(text: str, what: str) -> str:
    """A name without blanks around it. Raises: ValueError where it is too long or holds what can't be stored or shown."""
    text = text.strip()
    if not text.isprintable():  # control characters and lone surrogates
        raise ValueError(f"{what} holds a character that no name has")
    if not 0 < len(text) <= _LONGEST_NAME:
        raise ValueError(f"{what} has to have 1 to {_LONGEST_NAME} characters")
    return text


def _instant(value: Any, now: datetime) -> datetime:
    if value is None:
        return now
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError('"labelled_at" has to be a time such as 2026-01-31T12:00:00Z') from None
    if instant.tzinfo is None:
        raise ValueError('"labelled_at" needs a time zone, Z for example')
    if instant > now + _AHEAD:
        raise ValueError('"labelled_at" lies in the future')
    return instant


def label_json(label: Label) -> str:
    """A label as a line, LF included."""
    return _line(
        {
            "sample_id": label.sample_id,
            "which": label.which,
            "label": label.label,
            "reviewer": label.reviewer,
            "labelled_at": label.labelled_at.isoformat(),
        }
    )


def form_lines(sample: WaitingSample, *, texts: bool = True) -> list[str]:
    """The lines for a reviewer, one per answer, blind; none where the texts are gone. texts: whether to write them out."""
    if not sample.prompt:
        return []
    context = question_of(sample.request_body, sample.dialect).context
    blind = sorted((blind_name(sample.sample_id, tier), completion) for tier, completion in sample.answers)
    return [
        _line(
            {
                "sample_id": sample.sample_id,
                "which": name,
                "label": None,
                "reviewer": None,
                "labelled_at": None,
            }
            | ({"prompt": sample.prompt, "context": context, "answer": completion} if texts else {})
        )
        for name, completion in blind
    ]


def item_lines(item: Item, *, texts: bool = True) -> list[str]:
    """The lines of one reviewer's item, one per answer in that reviewer's order; texts: with what there is to look at."""
    lines = []
    for answer in item.answers:
        content: dict[str, Any] = {"sample_id": item.item_id, "which": answer.which, "label": None}
        content |= {"reviewer": None, "labelled_at": None}
        if texts:
            content |= {"prompt": item.prompt, "context": item.context, "answer": answer.text}
        lines.append(_line(content))
    return lines


def _line(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False) + "\n"
