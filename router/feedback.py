"""What may a client say about an answer, and how is it checked?

`POST /v1/feedback` takes `{"request_id", "rating": "up"|"down", "comment"?, "retry"?}`. A rating is recorded like an exchange:
one line in the spool, never a wait for the database. With `retry` the same request is answered again, one tier up.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import orjson

from router.errors import RequestRejected

Rating = Literal["up", "down"]
MAX_COMMENT_CHARACTERS = 4000
MAX_BODY_BYTES = 64 * 1024
_FIELDS = ("request_id", "rating", "comment", "retry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """A client's word on one answer. rating: None where another answer was asked for and nothing was rated.

    feedback_id: UUIDv7, drawn by the router. key_id: the key that gave it, None where none is asked for.
    """

    feedback_id: str
    request_id: str  # of the request it is about
    at: datetime  # aware, UTC
    rating: Rating | None
    comment: str = ""
    retry: bool = False
    key_id: str | None = None


class FeedbackRecorder(Protocol):
    """Where feedback goes: the same place as exchanges."""

    async def record_feedback(self, feedback: Feedback) -> bool:
        """True once the operating system has it; False if that was not confirmed in time."""
        ...


def read_feedback(body: bytes, *, feedback_id: str, at: datetime, key_id: str | None) -> Feedback:
    """Parse and check a body.

    Raises: RequestRejected (400) that names the field at fault.
    """
    try:
        fields: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RequestRejected(400, "The body is not valid JSON.", code="invalid_json") from None
    if not isinstance(fields, dict):
        raise RequestRejected(400, "The body must be a JSON object.")
    for name in fields:
        if name not in _FIELDS:
            raise _wrong(name[:100], f"is not known; feedback has {', '.join(_FIELDS)}")
    retry = fields.get("retry")
    if retry is not None and not isinstance(retry, bool):
        raise _wrong("retry", "must be a boolean")
    return Feedback(
        feedback_id=feedback_id,
        request_id=_request_id(fields.get("request_id")),
        at=at,
        rating=_rating(fields.get("rating"), needed=not retry),
        comment=_comment(fields.get("comment")),
        retry=bool(retry),
        key_id=key_id,
    )


def _request_id(value: object) -> str:
    try:
        found = str(uuid.UUID(value)) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or found != str(value).lower():
        raise _wrong("request_id", "must be the x-shadow-request-id of an answer, a UUID")
    return found


def _rating(value: object, *, needed: bool) -> Rating | None:
    if value == "up":
        return "up"
    if value == "down":
        return "down"
    if value is None and not needed:
        return None
    raise _wrong("rating", 'must be "up" or "down"' + (", and is missing" if value is None else ""))


def _comment(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong("comment", "must be a string")
    if len(value) > MAX_COMMENT_CHARACTERS:
        raise _wrong("comment", f"has {len(value)} characters, {MAX_COMMENT_CHARACTERS} are the most")
    return value


def _wrong(param: str, said: str) -> RequestRejected:
    return RequestRejected(400, f"'{param}' {said}.", param=param)
