"""How are single top-level values of a JSON object replaced without touching any other byte?

A body that is parsed and written again changes in number formats, key order, escapes and white space, and costs time in
proportion to its images. So the spans of the few values we own are found, and only they are exchanged. The body must
already be known to be a valid JSON object: the scanner relies on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

# Strings are swallowed whole, so that brackets and colons inside of them are never seen.
_TOKEN = re.compile(rb'[{}\[\]:,]|"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_MODEL_MEMBER = re.compile(rb'"model"\s*:\s*("[^"\\]*")')
_WHITESPACE = b" \t\r\n"


def with_model(body: bytes, model_json: bytes) -> bytes:
    """The body with the value of its top-level `model` replaced, which must be there and be a string.

    Without any `\\u` in the body a key can only be spelt in one way, so if `"model"` occurs once, that is the one (inside a
    string it would read `\\"model\\"`). That holds for nearly all requests and costs two searches in C.
    """
    if b"\\u" not in body and body.count(b'"model"') == 1 and (match := _MODEL_MEMBER.search(body)) is not None:
        start, end = match.span(1)
        return body[:start] + model_json + body[end:]
    return splice(body, {"model": model_json})


def top_level_spans(body: bytes, names: frozenset[str]) -> list[tuple[str, int, int]]:
    """(key, start, end) of each value whose top-level key is in `names`, duplicates included, in order of the text."""
    spans: list[tuple[str, int, int]] = []
    depth = 0
    key_next = False
    key: str | None = None
    value_start = 0
    for match in _TOKEN.finditer(body):
        token = body[match.start()]
        if token == 0x22:  # '"'
            if key_next and depth == 1:
                key, key_next = _decoded(match.group()), False
        elif token in b"{[":
            depth += 1
            key_next = depth == 1
        elif token == 0x3A:  # ':'
            if depth == 1:
                value_start = match.end()
        elif depth == 1:  # ',' or the closing '}'
            if key in names:
                spans.append((key, *_trimmed(body, value_start, match.start())))
            key, key_next = None, token == 0x2C
            depth -= token == 0x7D
        elif token != 0x2C:
            depth -= 1
    return spans


def splice(body: bytes, replacements: Mapping[str, bytes]) -> bytes:
    """The body with the value of each top-level key in `replacements` replaced; a key that is missing is put in front."""
    spans = top_level_spans(body, frozenset(replacements))
    parts: list[bytes] = []
    position = 0
    for key, start, end in spans:
        parts += [body[position:start], replacements[key]]
        position = end
    parts.append(body[position:])
    found = {key for key, _, _ in spans}
    missing = [(key, value) for key, value in replacements.items() if key not in found]
    if missing:
        opening = body.index(b"{") + 1
        # Cut the first part (all up to the first replaced value) open just behind the brace.
        first = parts[0]
        comma = b"" if _is_empty(body, opening) else b","
        added = b",".join(orjson.dumps(key) + b":" + value for key, value in missing)
        parts[0] = first[:opening] + added + comma + first[opening:]
    return b"".join(parts)


def _decoded(quoted: bytes) -> str | None:
    if b"\\" not in quoted:
        return quoted[1:-1].decode()
    try:
        return str(orjson.loads(quoted))
    except orjson.JSONDecodeError:  # an unpaired surrogate: no key of ours
        return None


def _trimmed(body: bytes, start: int, end: int) -> tuple[int, int]:
    while start < end and body[start] in _WHITESPACE:
        start += 1
    while end > start and body[end - 1] in _WHITESPACE:
        end -= 1
    return start, end


def _is_empty(body: bytes, opening: int) -> bool:
    return body[opening:].lstrip(_WHITESPACE)[:1] == b"}"
