"""Which answers of known truth does a file hold, and which line is wrong, and why? The pairs format, with labels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shadow.json_lines import BadLine, read_objects
from shadow.judging.pair_file import Pair, pair_of
from shadow.store.gold import GoldItem
from shadow.store.storable import storable

_LONGEST_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldLine:
    """One good line."""

    line: int
    item: GoldItem


def read_gold(path: Path) -> Iterator[GoldLine | BadLine]:
    """Every line of a gold file, plain or gzip, in order: a pair with `label` 0 or 1, and `reference_label` where it is known.

    An id that was there before is a bad line. Raises: ConfigError where the file cannot be opened.
    """
    seen: dict[str, int] = {}
    for found in read_objects(path):
        line = found if isinstance(found, BadLine) else _line(*found)
        if isinstance(line, GoldLine):
            before = seen.setdefault(line.item.item_id, line.line)
            if before != line.line:
                line = BadLine(line=line.line, reason=f'"id" is that of line {before}', id=line.item.item_id)
        yield line


def _line(number: int, value: dict[str, Any]) -> GoldLine | BadLine:
    pair = pair_of(number, value)
    if isinstance(pair, BadLine):
        return pair
    try:
        return GoldLine(line=number, item=_item(pair, value))
    except ValueError as exc:
        return BadLine(line=number, reason=str(exc), id=pair.id)


def _item(pair: Pair, value: Mapping[str, Any]) -> GoldItem:
    if pair.label is None:
        raise ValueError('"label" has to be 0 or 1: a gold item is an answer of known truth')
    said = value.get("reference_label")
    if said is not None and (isinstance(said, bool) or said not in (0, 1)):
        raise ValueError('"reference_label" has to be 0, 1 or null')
    shown = pair.comparison
    if said is not None and not shown.reference:
        raise ValueError('"reference_label" needs a "reference"')
    if not shown.prompt.strip():
        raise ValueError('"prompt" is empty')
    name = str(pair.id)
    if not 0 < len(name) <= _LONGEST_ID:
        raise ValueError(f'"id" has to have 1 to {_LONGEST_ID} characters')
    return GoldItem(
        item_id=storable(name) or "",
        prompt=storable(shown.prompt) or "",
        answer=storable(shown.answer) or "",
        reference=storable(shown.reference) or None,
        context=storable(shown.context) or None,
        query_type=storable(shown.query_type),
        label=pair.label,
        reference_label=None if said is None else int(said),
    )


def gold_json(item: GoldItem) -> str:
    """An item as a line of a gold file, LF included."""
    content = {
        "id": item.item_id,
        "prompt": item.prompt,
        "answer": item.answer,
        "reference": item.reference,
        "context": item.context,
        "query_type": item.query_type,
        "label": item.label,
        "reference_label": item.reference_label,
    }
    return json.dumps(content, ensure_ascii=False) + "\n"
