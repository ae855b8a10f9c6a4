"""What can be written into `shadow.yaml`? A page made from the models that read it, so that it can't say anything else."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shadow.settings import Settings

HEADER = """\
# Configuration

Every key of `shadow.yaml`, made from the models that read it (`make docs`). A complete example is
[`shadow.example.yaml`](shadow.example.yaml).

- An unknown key, a value out of range or a missing file is an error that names it; nothing is silently ignored.
- The environment wins over the file: `SHADOW__SAMPLING__UP=0.1` sets `sampling.up`. Names are read in lower case, values as YAML;
  a list is replaced as a whole.
- Keys of providers are never in the file: `api_key_env` names the variable that holds one.
- `[]` stands for each entry of a list, `<name>` for a name of your choice.
- *required* means that there is no default; in a section that is itself optional it is required once the section is given.

Outside the file: `SHADOW_API_KEYS` (comma-separated) are the keys that clients of the router must present; `SHADOW_TOKEN` says
who decides by command, where tokens are asked for ([security.md](security.md)); `SHADOW_CONFIG` is the
path of the file for every command that takes `--config`; `PG_BIN` is the directory of PostgreSQL's programs, where the packaged
ones are not wanted.
"""

_NULLABLE = ", or null"
_PLAIN = {
    date: "date",
    datetime: "date or instant",
    str: "text",
    int: "whole number",
    float: "number",
    Decimal: "number",
    bool: "true or false",
    Path: "path",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that can be set. path: dotted, with `[]` and `<name>`. description: "" where the model has none."""

    path: str
    kind: str
    default: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPage:
    """The keys of one model. path: where it stands in the file, "" for the top."""

    path: str
    about: str
    keys: tuple[Key, ...]


def page() -> str:
    """The whole page as Markdown."""
    parts = [HEADER]
    for section in sections():
        title = f"`{section.path}`" if section.path else "Top level"
        rows = [f"| `{key.path}` | {key.kind} | {key.default} | {key.description} |" for key in section.keys]
        parts.append(
            "\n".join([f"## {title}", "", section.about, "", "| key | type | default | |", "|---|---|---|---|", *rows])
            + "\n"
        )
    return "\n".join(parts)


def sections() -> list[SectionPage]:
    """The sections in the order of the file, each followed by those inside it."""
    return list(_sections("", Settings))


def _sections(path: str, model: type[BaseModel]) -> Iterator[SectionPage]:
    keys, inner = [], []
    for attribute, field in model.model_fields.items():
        name = field.alias or attribute
        below = f"{path}.{name}" if path else name
        nested, suffix = _model_in(field.annotation)
        keys.append(
            Key(
                path=below,
                kind=_kind(field, nested, below + suffix),
                default=_default(field),
                description=(field.description or "").replace("|", "\\|"),
            )
        )
        if nested is not None:
            inner.append((below + suffix, nested))
    yield SectionPage(path=path, about=(model.__doc__ or "").strip().splitlines()[0], keys=tuple(keys))
    for below, nested in inner:
        yield from _sections(below, nested)


def _model_in(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The model behind an annotation, and how its place is written: "", "[]" or ".<name>"."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    if origin in (Union, types.UnionType):
        return next((found for part in arguments if (found := _model_in(part))[0] is not None), (None, ""))
    if origin is tuple:
        nested, suffix = _model_in(arguments[0])
        return nested, "[]" + suffix
    if origin is dict:
        nested, suffix = _model_in(arguments[1])
        return nested, ".<name>" + suffix
    return None, ""


def _kind(field: FieldInfo, nested: type[BaseModel] | None, place: str) -> str:
    if nested is not None:
        words = {True: "list of", False: "by name:"}.get(place.endswith("[]")) if place.endswith(("[]", ">")) else ""
        return f"{words} [`{place}`](#{_anchor(place)})".strip()
    words = _type_words(field.annotation)
    plain = words.removesuffix(_NULLABLE)
    return plain + _range_words(field.metadata) + words[len(plain) :]


def _anchor(place: str) -> str:
    """As GitHub makes it from a heading."""
    return "".join(c for c in place.lower() if c.isalnum() or c in "_-")


def _type_words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return _type_words(arguments[0]) + _range_words(_constraints(arguments[1:]))
    if origin is Literal:
        return " \\| ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_type_words(part) for part in arguments if part is not types.NoneType) + _NULLABLE
    if origin is tuple:
        return f"list of {_type_words(arguments[0])}"
    if origin is dict:
        return f"by name: {_type_words(arguments[1])}"
    return _PLAIN[annotation]


def _constraints(annotations: tuple[Any, ...]) -> list[Any]:
    """The constraints among an annotation's extras: those of pydantic's `Field` are unpacked."""
    found: list[Any] = []
    for extra in annotations:
        found += extra.metadata if isinstance(extra, FieldInfo) else [extra]
    return found


def _range_words(metadata: list[Any]) -> str:
    words = []
    for bound in metadata:
        match bound:
            case annotated_types.Ge(ge=low):
                words.append(f"from {low:,}")
            case annotated_types.Gt(gt=low):
                words.append(f"above {low:,}")
            case annotated_types.Le(le=high):
                words.append(f"to {high:,}")
            case annotated_types.Lt(lt=high):
                words.append(f"below {high:,}")
            case annotated_types.MultipleOf(multiple_of=step):
                words.append(f"in steps of {step}")
    return f", {' '.join(words)}" if words else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "as below"
    return f"`{_yaml(value)}`"


def _yaml(value: Any) -> str:
    """A value as one would write it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case tuple():
            return f"[{', '.join(_yaml(one) for one in value)}]"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
