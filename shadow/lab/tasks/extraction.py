"""Documents turned into JSON: an invoice, a booking, a contact or a delivery note, with a schema in the request."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shadow.lab.tasks.contracts import Kind, Task
from shadow.lab.tasks.extraction_documents import DOCUMENTS, Field, Value
from shadow.lab.tasks.lapses import Style

_FILLERS = (
    "Please find the details below.",
    "Thank you for your business.",
    "Do not hesitate to call us with any question.",
    "This message was sent automatically.",
    "We look forward to working with you again.",
    "Terms and conditions apply as agreed.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction(Task):
    """A document and the fields it holds. `answer` is the canonical JSON."""

    kind: ClassVar[Kind] = "extraction"

    values: tuple[tuple[str, Value], ...]
    notes: tuple[str, ...]

    def draft_right(self, style: Style, rng: random.Random) -> str:
        return self._render(dict(self.values), style, rng)

    def draft_wrong(self, style: Style, rng: random.Random) -> str:
        values = dict(self.values)
        names = list(values)
        rng.shuffle(names)
        for name in names:
            twin = next((other for other in names if other != name and type(values[other]) is type(values[name])), None)
            if twin is not None and rng.random() < 0.3:
                values[name], values[twin] = values[twin], values[name]
                break
            slipped = _slip(values[name], rng)
            if slipped != values[name]:
                values[name] = slipped
                break
        return self._render(values, style, rng)

    def check(self, answer: str) -> bool:
        found = read_object(answer)
        return found is not None and all(_same(found.get(name), value) for name, value in self.values)

    def _render(self, values: Mapping[str, Value], style: Style, rng: random.Random) -> str:
        filled: dict[str, Value] = dict(values)
        if self.notes:
            filled["note"] = rng.choice(self.notes)
        names = list(filled)
        if style != "thorough" and rng.random() < 0.5:
            rng.shuffle(names)
        ordered = {name: filled[name] for name in names}
        if style == "terse":
            return json.dumps(ordered, separators=rng.choice(((",", ":"), (", ", ": "))), ensure_ascii=False)
        return json.dumps(ordered, indent=2 if style == "plain" else rng.choice((2, 4)), ensure_ascii=False)


def read_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in the text, fenced or in the middle of prose; None if there is none."""
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at != -1:
        try:
            found, _ = decoder.raw_decode(text, at)
        except ValueError:
            at = text.find("{", at + 1)
            continue
        return found if isinstance(found, dict) else None
    return None


def _same(found: object, expected: Value) -> bool:
    if isinstance(expected, str):
        return isinstance(found, str) and " ".join(found.split()).casefold() == expected.casefold()
    if isinstance(found, str):  # a numeral in quotes is what small models write: the value counts
        try:
            found = float(found.replace(",", "").strip("$€ "))
        except ValueError:
            return False
    return isinstance(found, int | float) and not isinstance(found, bool) and abs(found - expected) < 1e-6


def _slip(value: Value, rng: random.Random) -> Value:
    """The value as a careless reader copies it: digits swapped, a word dropped, a neighbour taken."""
    if isinstance(value, str):
        words = value.split()
        if any(c.isdigit() for c in value):
            return _swap_digits(value, rng)
        if len(words) > 1:
            return rng.choice((words[0], words[-1]))
        return value[:-1] if len(value) > 3 else value + "s"
    if isinstance(value, float):
        return round(value * rng.choice((10, 0.1, 1.1)), 2)
    return value + rng.choice((-1, 1, 2, 10))


def _swap_digits(text: str, rng: random.Random) -> str:
    spots = [i for i in range(len(text) - 1) if text[i : i + 2].isdigit() and text[i] != text[i + 1]]
    if spots:
        i = rng.choice(spots)
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    i = rng.choice([i for i, c in enumerate(text) if c.isdigit()])
    return text[:i] + str((int(text[i]) + 1) % 10) + text[i + 1 :]


def _schema(fields: tuple[Field, ...], *, with_note: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {field.name: {"type": field.json_type} for field in fields}
    if with_note:
        properties["note"] = {"type": "string", "description": "one short sentence in your own words"}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def generate(rng: random.Random) -> Task:
    """A document; more fields and more text around them make it harder."""
    document = rng.choice(DOCUMENTS)
    facts = document.draw(rng)
    wanted = rng.randint(3, len(document.fields))
    fields = tuple(sorted(rng.sample(document.fields, wanted), key=document.fields.index))
    with_note = rng.random() < 0.3
    fillers = rng.sample(_FILLERS, rng.randint(0, 4))
    body = document.text.format(**facts)
    half = len(fillers) // 2
    text = " ".join([*fillers[:half], body, *fillers[half:]])
    values = tuple((field.name, facts[field.name]) for field in fields)
    names = ", ".join(field.name for field in fields) + (", note" if with_note else "")
    return Extraction(
        id="",
        feature=rng.choice(("invoice-intake", "mail-intake")),
        difficulty=round(min((wanted - 3 + len(fillers) + with_note) / 8, 1.0), 3),
        user=f"Extract the fields {names} from this {document.name} and return JSON only.\n\n{text}",
        answer=json.dumps(dict(values), ensure_ascii=False),
        response_format={
            "type": "json_schema",
            "json_schema": {"name": document.name, "strict": True, "schema": _schema(fields, with_note=with_note)},
        },
        values=values,
        notes=document.notes if with_note else (),
    )
