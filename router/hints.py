"""What did the caller tell us about the request?

Hints come as `x-shadow-*` headers or, with the same names, in the body's `metadata`; a header wins. They are advice: a
hint that cannot be read is as good as none, and never fails a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from router.contracts import Hints, Impact

_PREFIX = "x-shadow-"
_NAMES = frozenset({"user", "feature", "query-type", "impact", "error-tolerance", "session"})
_LEVELS = frozenset({"low", "normal", "high"})
MAX_LENGTH = 200
_NONE = Hints()


def read_hints(headers: Iterable[tuple[bytes, bytes]], fields: Mapping[str, Any]) -> Hints:
    """The hints of a request. `headers` as in ASGI: lower-case names, raw bytes."""
    given: dict[str, str] = {}
    metadata = fields.get("metadata")
    if isinstance(metadata, dict):
        for key, value in metadata.items():
            name = str(key).lower().replace("_", "-").removeprefix(_PREFIX)
            if str(key).lower().startswith(_PREFIX) and name in _NAMES and isinstance(value, str | int | float):
                given[name] = str(value)
    for raw, content in headers:
        if raw[:9] == b"x-shadow-":
            name = raw[len(_PREFIX) :].decode("latin-1")
            if name in _NAMES:
                given[name] = content.decode("utf-8", "replace")
    user = _clean(given.get("user"))
    if user is None and isinstance(fields.get("user"), str):
        user = _clean(fields["user"])
    if (
        user is None and isinstance(metadata, dict) and isinstance(metadata.get("user_id"), str)
    ):  # Anthropic's place for it
        user = _clean(metadata["user_id"])
    if not given and user is None:
        return _NONE
    return Hints(
        user=user,
        feature=_clean(given.get("feature")),
        query_type=_clean(given.get("query-type")),
        impact=_level(given.get("impact")),
        error_tolerance=_level(given.get("error-tolerance")),
        session=_clean(given.get("session")),
    )


def wants_hold(headers: Iterable[tuple[bytes, bytes]], fields: Mapping[str, Any]) -> bool | None:
    """Does the caller want a streamed answer to be held back until it is complete? None: it does not say."""
    metadata = fields.get("metadata")
    told = metadata.get("x-shadow-hold") if isinstance(metadata, dict) else None
    for raw, content in headers:
        if raw == b"x-shadow-hold":
            told = content.decode("latin-1")
    return {"full": True, "off": False}.get(told.strip().lower()) if isinstance(told, str) else None


def may_drop(headers: Iterable[tuple[bytes, bytes]]) -> bool | None:
    """May fields be left out that a model's dialect has no word for? None: the client does not say."""
    for name, value in headers:
        if name == b"x-shadow-drop-unsupported":
            return value.strip().lower() in (b"true", b"1")
    return None


def _clean(value: str | None) -> str | None:
    return (value or "").strip()[:MAX_LENGTH] or None


def _level(value: str | None) -> Impact:
    level = (value or "").strip().lower()
    return cast("Impact", level) if level in _LEVELS else "normal"
