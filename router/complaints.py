"""What does a provider complain about when it turns a request down?

Most complaints are about the request and pass through to the client as they are. A few are about *this model* (its window
is too small, it does not take what the client sent), and another model may well answer. Providers have no common codes, so
a complaint is recognised by its code where there is one and else by its words; what is not recognised is the client's.
OpenAI's and Anthropic's error objects are both read, as is the plain text of any other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import orjson

#: context_length: does not fit this model's window. content_filter: turned down for what it says. prefill: the model does not
#: continue a message of the assistant. unsupported: the model does not know a parameter or a kind of content.
#: stream_options: the endpoint does not know that field. unknown_model: our configuration. model_failed: the model broke
#: a rule of its own provider. other: the client's mistake.
ComplaintKind = Literal[
    "context_length",
    "content_filter",
    "prefill",
    "unsupported",
    "stream_options",
    "unknown_model",
    "model_failed",
    "other",
]
#: Complaints about the model that was asked, not about the request: another model may answer.
ABOUT_THE_MODEL = frozenset({"context_length", "prefill", "unsupported", "unknown_model", "model_failed"})

_READ_BYTES = 16_384
_CODES: dict[str, ComplaintKind] = {
    "context_length_exceeded": "context_length",
    "context_window_exceeded": "context_length",
    "exceed_context_size_error": "context_length",
    "model_max_prompt_tokens_exceeded": "context_length",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
    "responsibleaipolicyviolation": "content_filter",
    "moderation_blocked": "content_filter",
    "model_not_found": "unknown_model",
    "model_not_available": "unknown_model",
    "unsupported_value": "unsupported",
    "unsupported_parameter": "unsupported",
    "tool_use_failed": "model_failed",
    "json_validate_failed": "model_failed",
}
#: Asked in order, on lower-case words; the first that is found wins.
_WORDS: Mapping[ComplaintKind, tuple[str, ...]] = {
    "stream_options": ("stream_options", "include_usage"),
    "context_length": (
        r"(?:maximum|max|model'?s?) (?:\w+ )?context (?:length|window|size|limit)",
        r"exceeds? (?:the |this |your )?(?:available |model'?s? )?(?:maximum |max )?context",
        r"(?:prompt|input|messages?|conversation) (?:is|are) too long",
        r"too many (?:input |prompt )?tokens",
        r"maximum prompt length",
        r"reduce the length of (?:the|your) (?:messages|prompt|input)",
        r"token count.{0,40} exceeds",
        r"number of (?:input )?tokens.{0,80}(?:can ?not|must not) exceed",
        r"tokens.{0,40} must be <= \d",
    ),
    "prefill": (
        r"\bprefill",
        r"must end with a user message",
        r"last message must (?:be|have).{0,20}user",
        r"last role must be user",
    ),
    "content_filter": (
        r"content[ _-](?:filter|management policy|policy)",
        r"flagged (?:for|by|as)",
        r"requires moderation",
        r"safety system",
    ),
    "unknown_model": (
        r"model identifier is invalid",
        r"model .{1,120} (?:does not exist|is not found|was not found|not found)",
    ),
    "unsupported": (
        r"(?:this|the) model (?:does not|doesn'?t) support",
        r"(?:not support\w*|unsupported).{0,60} (?:with|by|for) this model",
    ),
}
_PATTERNS = [(kind, re.compile("|".join(words))) for kind, words in _WORDS.items()]


def complaint_kind(body: bytes) -> ComplaintKind:
    """What the body of a 4xx is about. Cost: one parse of at most 16 KiB and some searches, on failures only."""
    head = body[:_READ_BYTES]
    try:
        fields = orjson.loads(body) if len(body) <= _READ_BYTES else None
    except orjson.JSONDecodeError:
        fields = None
    if isinstance(fields, list) and fields:  # Google's endpoint wraps its error in a list
        fields = fields[0]
    error = fields.get("error", fields) if isinstance(fields, dict) else None
    if isinstance(error, dict):
        inner = error.get("innererror")
        named = [error.get("code"), error.get("type"), inner.get("code") if isinstance(inner, dict) else None]
        for name in named:
            if isinstance(name, str) and (kind := _CODES.get(name.lower())) is not None:
                return kind
        words = f"{error.get('message') or error.get('detail') or ''} {error.get('param') or ''}"
    else:
        words = error if isinstance(error, str) else head.decode("utf-8", "replace")
    words = words.lower()
    return next((kind for kind, pattern in _PATTERNS if pattern.search(words)), "other")
