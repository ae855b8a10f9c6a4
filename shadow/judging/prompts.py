"""What of a request do judges and reviewers see? The question, and what came before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.dialects.known import OPENAI
from router.dialects.translation import translated

#: Judges cap texts themselves; this only keeps absurd bodies out of the store's text columns twice.
MAX_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """prompt: the last user message. context: everything said before it, or None. schema: the JSON schema asked for, or None."""

    prompt: str
    context: str | None
    schema: Mapping[str, Any] | None


def question_of(request_body: str, dialect: str = OPENAI.name) -> Question:
    """The question in a recorded body of a dialect. Never raises: what can't be read is an empty prompt."""
    body = chat_fields(request_body, dialect) or {}
    messages = body.get("messages")
    said = [(m.get("role"), _text(m.get("content"))) for m in messages or [] if isinstance(m, dict)]
    last = max((i for i, (role, _) in enumerate(said) if role == "user"), default=None)
    if last is None:
        return Question(prompt="", context=None, schema=_schema(body))
    before = "\n\n".join(text for i, (_, text) in enumerate(said) if i != last and text)
    return Question(
        prompt=said[last][1][:MAX_CHARACTERS], context=before[:MAX_CHARACTERS] or None, schema=_schema(body)
    )


def chat_fields(request_body: str, dialect: str) -> Mapping[str, Any] | None:
    """A recorded body as an OpenAI client would have put it, without what that dialect has no word for; None if it is none."""
    try:
        body = json.loads(request_body)
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    return body if dialect == OPENAI.name else translated(body, OPENAI.name).fields


def _text(content: Any) -> str:
    """Text of a message: a string, or the text parts of a list (images are left out)."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "\n".join(part for part in parts if isinstance(part, str))
    return ""


def _schema(body: Any) -> Mapping[str, Any] | None:
    wanted = body.get("response_format") if isinstance(body, dict) else None
    described = wanted.get("json_schema") if isinstance(wanted, dict) else None
    schema = described.get("schema") if isinstance(described, dict) else None
    return schema if isinstance(schema, dict) else None
