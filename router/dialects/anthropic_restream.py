"""How does a whole Anthropic message look as a stream? Each block begins, is said in one delta of its kind, and ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from router.dialects.anthropic_answer import json_text, message_fields

_TOOLS = ("tool_use", "server_tool_use", "mcp_tool_use")


def message_as_stream(body: bytes) -> bytes:
    """The events of a message, `message_stop` included. Raises: UpstreamFailed ("bad_body")."""
    whole = message_fields(body)
    usage: Any = whole.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    ends = ("stop_reason", "stop_sequence", "stop_details", "container")
    first = {**whole, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 0}}
    parts = [event("message_start", message={k: v for k, v in first.items() if k not in ends[2:]})]
    blocks = [block for block in whole["content"] if isinstance(block, dict)]
    for index, block in enumerate(blocks):
        begun, deltas = _opened(block)
        parts.append(event("content_block_start", index=index, content_block=begun))
        parts += [event("content_block_delta", index=index, delta=delta) for delta in deltas]
        parts.append(event("content_block_stop", index=index))
    delta = {name: whole[name] for name in ends if name in whole}
    parts += [event("message_delta", delta=delta, usage={"output_tokens": 0, **usage}), event("message_stop")]
    return b"".join(parts)


def event(kind: str, **fields: Any) -> bytes:
    """One server-sent event; the dialect names its kind twice."""
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps({"type": kind, **fields}) + b"\n\n"


def _opened(block: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A block as it begins, and the deltas that complete it. What has no deltas is said at once."""
    kind = block.get("type")
    if kind == "text":
        return {**block, "text": "", **_no_citations(block)}, list(_text_deltas(block))
    if kind == "thinking":
        deltas = [
            {"type": f"{name}_delta", name: block[name]}
            for name in ("thinking", "signature")
            if isinstance(block.get(name), str)
        ]
        return {**block, "thinking": "", "signature": ""}, deltas
    if kind in _TOOLS:
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": json_text(block.get("input", {}))}]
    return dict(block), []


def _text_deltas(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"type": "text_delta", "text": block["text"] if isinstance(block.get("text"), str) else ""}
    citations = block.get("citations")
    for citation in citations if isinstance(citations, list) else ():
        yield {"type": "citations_delta", "citation": citation}


def _no_citations(block: Mapping[str, Any]) -> dict[str, Any]:
    return {"citations": []} if isinstance(block.get("citations"), list) else {}
