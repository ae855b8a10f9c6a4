"""How is a request in one dialect put, byte for byte, to a model that speaks another?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from router.dialects.contracts import Translated
from router.dialects.known import ANTHROPIC, OPENAI
from router.dialects.to_anthropic_request import to_anthropic_request
from router.dialects.to_openai_request import to_openai_request

#: Hosts whose newer models take the limit of an answer by its new name only; everybody else knows the old one.
_NEW_LIMIT_HOSTS = ("://api.openai.com", ".openai.azure.com")


def translated(fields: Mapping[str, Any], dialect: str) -> Translated:
    """A request in the dialect of that name, which is not its own."""
    return to_anthropic_request(fields) if dialect == ANTHROPIC.name else to_openai_request(fields)


def translated_body(
    said: Translated, *, dialect: str, model: str, url: str, default_max_tokens: int, ask_for_usage: bool = False
) -> bytes:
    """The bytes of a translated request. url: of the endpoint, some of which want a field by another name."""
    fields = {**said.fields, "model": model}
    if dialect == ANTHROPIC.name:
        fields.setdefault("max_tokens", default_max_tokens)
    elif "max_tokens" in fields and any(host in url for host in _NEW_LIMIT_HOSTS):
        fields["max_completion_tokens"] = fields.pop("max_tokens")
    if ask_for_usage and dialect == OPENAI.name:
        fields["stream_options"] = {"include_usage": True}
    try:
        return orjson.dumps(fields)
    except TypeError:  # an unpaired surrogate: only the standard library writes it, as an escape
        return json.dumps(fields).encode()
