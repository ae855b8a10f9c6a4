"""What can be read off a request without a model?

Everything is tolerant: content may be null, a string or a list of parts, and a part may be of a kind that is not known
here. A field of a wrong type counts as absent, since the provider is the judge of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from router.contracts import Features

BYTES_PER_TOKEN = 4  # of UTF-8: close for English prose, on the safe side for code and for other scripts
TOKENS_PER_MESSAGE = 4
TOKENS_PER_IMAGE = 800  # a 1024 x 1024 picture at the usual detail


def extract_features(fields: Mapping[str, Any]) -> Features:
    """Text features of an OpenAI chat body."""
    text = ""
    tokens = turns = 0
    has_images = False
    for message in fields.get("messages") or ():
        if not isinstance(message, dict):
            continue
        said, images = _content(message.get("content"))
        has_images = has_images or images > 0
        tokens += estimated_tokens(said) + TOKENS_PER_MESSAGE + images * TOKENS_PER_IMAGE + _json_tokens(message)
        if message.get("role") == "user":
            turns += 1
            text = said
    tools = fields.get("tools") or fields.get("functions")
    if tools:
        tokens += _size(tools) // BYTES_PER_TOKEN
    response_format = fields.get("response_format")
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    return Features(
        text=text,
        words=len(text.split()),
        conversation_tokens=tokens,
        turns=turns,
        has_tools=bool(tools),
        has_images=has_images,
        wants_json=kind in ("json_object", "json_schema"),
    )


def estimated_tokens(text: str) -> int:
    """Tokens of a text, within about 30 % for natural language. Cost: one pass in C."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // BYTES_PER_TOKEN)


def message_text(message: Mapping[str, Any]) -> str:
    """What a message says, without its images."""
    return _content(message.get("content"))[0]


def _content(content: object) -> tuple[str, int]:
    """The text of a message and how many images it carries."""
    if isinstance(content, str):
        return content, 0
    if not isinstance(content, list):
        return "", 0
    texts: list[str] = []
    images = 0
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, Mapping):
            if isinstance(part.get("text"), str):
                texts.append(part["text"])
            elif part.get("type") in ("image_url", "image", "input_image"):
                images += 1
    return "\n".join(texts), images


def _json_tokens(message: Mapping[str, Any]) -> int:
    calls = message.get("tool_calls")
    return _size(calls) // BYTES_PER_TOKEN if calls else 0


def _size(value: object) -> int:
    try:
        return len(orjson.dumps(value))
    except TypeError:  # an unpaired surrogate or a huge number somewhere inside
        return len(repr(value))
