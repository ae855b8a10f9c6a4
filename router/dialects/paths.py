"""Which fields of a request got lost on the way into another dialect? Paths like `messages[2].content[0]`, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any


class Lost(list[str]):
    """Collects paths. What asks for nothing (null, an empty list or object) is never lost."""

    def note(self, path: str, value: object = True) -> None:
        if value is not None and value not in ([], {}) and path not in self:
            self.append(path)

    def others(self, fields: Mapping[str, Any], known: Collection[str], path: str = "") -> None:
        """Note every field that is not known."""
        for name, value in fields.items():
            if name not in known:
                self.note(f"{path}{name}", value)


def objects(values: object, path: str, lost: Lost) -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, object) of each entry of a list; what is no object is lost, and so is a list that is none."""
    if not isinstance(values, list):
        lost.note(path, values)
        return
    for position, value in enumerate(values):
        where = f"{path}[{position}]"
        if isinstance(value, dict):
            yield where, value
        else:
            lost.note(where)


def text_of(value: object) -> str:
    """A string, or nothing."""
    return value if isinstance(value, str) else ""
