"""What does a recorded exchange say, read in the plainest way? Nothing here is shared with the code that is measured."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Anthropic's stop reasons in the words that the router records.
_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One exchange. kind: "openai" or "anthropic"; None where the provider's own shape is none of ours."""

    id: str
    provider: str
    kind: str | None
    skipped: str
    status: int
    streamed: bool
    headers: dict[str, str]
    request: dict[str, Any]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is to be found in an answer. usage: (prompt, completion) tokens. error: there is an error in a stream."""

    text: str
    finish_reason: str | None
    tool_calls: tuple[str, ...]
    usage: tuple[int, int] | None
    error: bool
    refusal: str = ""


def read_recordings(path: Path) -> Iterator[Recording]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            kind, skipped = _kind(row)
            content_type = row["response_headers"].get("content-type", "application/json")
            request = json.loads(row["request_body"]) if row["request_body"] else None
            yield Recording(
                id=row["id"],
                provider=row["provider"],
                kind=kind,
                skipped=skipped,
                status=row["status"],
                streamed="event-stream" in content_type,
                headers={name: row["response_headers"][name] for name in _kept(row["response_headers"])}
                | {"content-type": content_type},
                request=request if isinstance(request, dict) else {},
                body=row["response_body"].encode(),
            )


def _kept(headers: dict[str, str]) -> list[str]:
    return [name for name in headers if name.lower() in ("retry-after", "retry-after-ms", "request-id", "x-request-id")]


def _kind(row: dict[str, Any]) -> tuple[str | None, str]:
    """(kind, why it is skipped)."""
    path = row["url"].split("?")[0]
    if row["method"] != "POST":
        return None, f"{row['method']} requests"
    if path.endswith("/chat/completions"):
        return "openai", ""
    if row["provider"] == "anthropic" and path.endswith("/messages"):
        return "anthropic", ""
    for part, name in (
        ("/responses", "Responses API"),
        ("/completions", "legacy completions"),
        ("/threads/", "threads"),
    ):
        if part in path:
            return None, name
    return None, f"{row['provider']}'s own shape"


def facts_of(recording: Recording) -> Facts:
    payloads = _payloads(recording)
    return (
        _anthropic(payloads, recording.streamed)
        if recording.kind == "anthropic"
        else _openai(payloads, recording.streamed)
    )


def _payloads(recording: Recording) -> list[dict[str, Any]]:
    if not recording.streamed:
        return [json.loads(recording.body)]
    lines = recording.body.decode().splitlines()
    return [json.loads(line[5:]) for line in lines if line.startswith("data:") and "[DONE]" not in line]


def _openai(payloads: list[dict[str, Any]], streamed: bool) -> Facts:
    text, reason, usage, names, error, refusal = "", None, None, {}, False, ""
    for payload in payloads:
        error = error or bool(payload.get("error"))
        if payload.get("usage"):
            usage = (payload["usage"].get("prompt_tokens", 0), payload["usage"].get("completion_tokens", 0))
        for choice in (payload.get("choices") or [])[:1]:
            said = choice.get("delta" if streamed else "message") or {}
            content = said.get("content")
            parts = content if isinstance(content, list) else [{"text": content}]
            text += "".join(part.get("text") or "" for part in parts)
            refusal += said.get("refusal") or ""
            reason = choice.get("finish_reason") or reason
            calls = said.get("tool_calls") or (
                [{"function": said["function_call"]}] if said.get("function_call") else []
            )
            for position, call in enumerate(calls):
                index = call.get("index", 0) if streamed else position
                names[index] = names.get(index, "") + ((call.get("function") or {}).get("name") or "")
    calls = tuple(names.values())
    return Facts(text=text, finish_reason=reason, tool_calls=calls, usage=usage, error=error, refusal=refusal)


def _anthropic(payloads: list[dict[str, Any]], streamed: bool) -> Facts:
    text, names, usage, reason, error = "", [], {}, None, False
    for payload in payloads:
        error = error or payload.get("type") == "error"
        message = payload.get("message") if payload.get("type") == "message_start" else payload
        usage |= {name: value for name, value in (message.get("usage") or {}).items() if isinstance(value, int)}
        blocks = (
            [payload["content_block"]]
            if "content_block" in payload
            else ([] if streamed else payload.get("content", []))
        )
        for block in blocks:
            text += block.get("text", "") if block["type"] == "text" else ""
            names += [block["name"]] if block["type"] == "tool_use" else []
        delta = payload.get("delta") or {}
        text += delta.get("text", "") if delta.get("type") == "text_delta" else ""
        reason = delta.get("stop_reason") or (None if streamed else payload.get("stop_reason")) or reason
    counted = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    tokens = (sum(usage.get(name, 0) for name in counted), usage.get("output_tokens", 0)) if usage else None
    return Facts(
        text=text, finish_reason=_REASONS.get(reason, reason), tool_calls=tuple(names), usage=tokens, error=error
    )
