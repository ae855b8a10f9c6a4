"""How is an exchange, or feedback on one, written as one line of JSON, and read back?

The format is the `Exchange` itself: field names as keys, datetimes in ISO 8601 with offset, money as decimal strings. Unknown
keys are ignored and missing ones take their defaults, so that a reader may be older or newer than its writer. Text comes
back as it went in, NUL included; so do unpaired surrogates, which legal JSON can carry, only that two which form a pair
come back as the character they stand for. (PostgreSQL can hold neither NUL nor surrogates: the store has to replace them.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import orjson

from router.contracts import Attempt, Decision, Exchange, Hints
from router.errors import LineUnreadable
from router.feedback import Feedback

#: What a line of feedback says it is. A line without a kind is an exchange.
FEEDBACK_KIND = "feedback"
FEEDBACK_VERSION = 1

T = TypeVar("T")


def exchange_to_json(exchange: Exchange) -> bytes:
    """One line, without its line end. Cost: some 10 microseconds for a short exchange."""
    try:
        return orjson.dumps(exchange, default=_plain)
    except TypeError:
        # An unpaired surrogate: only the standard library writes it, as an escape.
        return json.dumps(asdict(exchange), default=_plain, ensure_ascii=True, separators=(",", ":")).encode()


def feedback_to_json(feedback: Feedback) -> bytes:
    """One line, without its line end."""
    record = {"kind": FEEDBACK_KIND, "version": FEEDBACK_VERSION, **asdict(feedback)}
    return orjson.dumps(record, default=_plain)


def entry_from_json(line: bytes | str) -> Exchange | Feedback:
    """What a line holds. Raises: LineUnreadable, for a kind that a newer router writes, too."""
    record = _read(line)
    kind = record.get("kind") if isinstance(record, dict) else None
    if kind is None:
        return _checked(_exchange, record, "an exchange")
    if kind == FEEDBACK_KIND:
        return _checked(_feedback, record, "feedback")
    raise LineUnreadable(f"of the unknown kind {str(kind)[:40]!r}")


def exchange_from_json(line: bytes | str) -> Exchange:
    """The exchange of a line. Raises: LineUnreadable."""
    return _checked(_exchange, _read(line), "an exchange")


def _read(line: bytes | str) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:
            raise LineUnreadable(f"not JSON: {error}") from error


def _checked(read: Callable[[Mapping[str, Any]], T], record: Any, what: str) -> T:
    try:
        return read(record)
    except (TypeError, ValueError, KeyError, ArithmeticError, AttributeError) as error:
        raise LineUnreadable(f"not {what}: {type(error).__name__}: {error}") from error


def _exchange(record: Mapping[str, Any]) -> Exchange:
    known = _known(Exchange, record)
    known["started_at"] = datetime.fromisoformat(known["started_at"])
    if known["started_at"].tzinfo is None:
        raise ValueError("started_at has no offset")
    known["hints"] = Hints(**_known(Hints, known["hints"]))
    known["decision"] = Decision(**_known(Decision, known["decision"]))
    known["cost_usd"] = Decimal(known["cost_usd"])
    known["attempts"] = tuple(_attempt(attempt) for attempt in known.get("attempts", ()))
    return Exchange(**known)


def _feedback(record: Mapping[str, Any]) -> Feedback:
    known = _known(Feedback, record)
    known["at"] = datetime.fromisoformat(known["at"])
    if known["at"].tzinfo is None:
        raise ValueError("at has no offset")
    if known["rating"] not in ("up", "down", None):
        raise ValueError(f"unknown rating {str(known['rating'])[:40]!r}")
    return Feedback(**known)


def _attempt(record: Mapping[str, Any]) -> Attempt:
    known = _known(Attempt, record)
    known["cost_usd"] = Decimal(known.get("cost_usd", "0"))
    return Attempt(**known)


def _known(kind: type[Any], record: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: record[field.name] for field in fields(kind) if field.name in record}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"an exchange cannot hold a {type(value).__name__}")
