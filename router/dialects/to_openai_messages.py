"""How is an Anthropic conversation said to OpenAI-compatible endpoints?

A user's message there may hold the results of tool calls beside new text: each result becomes a message of the role `tool`,
and they all stand before the text. That a result is an error has no field of its own here, so the text says it.
"""

from __future__ import annotations

from typing import Any

import orjson

from router.dialects.paths import Lost, objects, text_of

Part = dict[str, Any]
_ERROR = "Error: "


def system_text(system: object, lost: Lost) -> str:
    """The system prompt as one text."""
    if system is None or isinstance(system, str):
        return system or ""
    return "\n\n".join(_texts(system, "system", lost))


def openai_messages(messages: object, lost: Lost) -> list[dict[str, Any]]:
    """The conversation, without the system prompt."""
    said: list[dict[str, Any]] = []
    for path, message in objects(messages, "messages", lost):
        role, content = message.get("role"), message.get("content")
        lost.others(message, ("role", "content"), f"{path}.")
        if role == "assistant":
            said.append(_assistant(content, f"{path}.content", lost))
        elif role == "user":
            said += _user(content, f"{path}.content", lost)
        elif role == "system":
            text = content if isinstance(content, str) else "\n\n".join(_texts(content, f"{path}.content", lost))
            said.append({"role": "system", "content": text})
        else:
            lost.note(f"{path}.role")
    return said


def _user(content: object, path: str, lost: Lost) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"role": "user", "content": content}]
    results: list[dict[str, Any]] = []
    parts: list[Part] = []
    for where, block in objects(content, path, lost):
        kind = block.get("type")
        if kind == "text":
            parts.append({"type": "text", "text": text_of(block.get("text"))})
        elif kind == "tool_result":
            results.append(_result(block, where, lost))
        elif kind == "image" and (url := _image_url(block.get("source"))):
            parts.append({"type": "image_url", "image_url": {"url": url}})
        elif kind == "document" and (part := _file(block)):
            parts.append(part)
        else:
            lost.note(where)
    if not parts:
        return results
    only_text = len(parts) == 1 and parts[0]["type"] == "text"
    return [*results, {"role": "user", "content": parts[0]["text"] if only_text else parts}]


def _assistant(content: object, path: str, lost: Lost) -> dict[str, Any]:
    if isinstance(content, str):
        return {"role": "assistant", "content": content}
    texts: list[str] = []
    calls: list[dict[str, Any]] = []
    for where, block in objects(content, path, lost):
        kind = block.get("type")
        if kind == "text":
            texts.append(text_of(block.get("text")))
        elif kind == "tool_use":
            function = {"name": block.get("name"), "arguments": _json(block.get("input"))}
            calls.append({"id": block.get("id"), "type": "function", "function": function})
        else:
            lost.note(where)
    said: dict[str, Any] = {"role": "assistant", "content": "".join(texts) or (None if calls else "")}
    return {**said, "tool_calls": calls} if calls else said


def _result(block: dict[str, Any], path: str, lost: Lost) -> dict[str, Any]:
    content = block.get("content")
    text = content if isinstance(content, str) else "\n".join(_texts(content, f"{path}.content", lost))
    if block.get("is_error") is True:
        text = _ERROR + text
    return {"role": "tool", "tool_call_id": block.get("tool_use_id"), "content": text}


def _texts(blocks: object, path: str, lost: Lost) -> list[str]:
    texts = []
    for where, block in objects(blocks if blocks is not None else [], path, lost):
        if block.get("type") == "text" and isinstance(block.get("text"), str):
            texts.append(block["text"])
        else:
            lost.note(where)
    return texts


def _image_url(source: object) -> str | None:
    if not isinstance(source, dict):
        return None
    if source.get("type") == "base64":
        return f"data:{source.get('media_type')};base64,{text_of(source.get('data'))}"
    return text_of(source.get("url")) or None if source.get("type") == "url" else None


def _file(block: dict[str, Any]) -> Part | None:
    source = block.get("source")
    citations = block.get("citations")
    if not isinstance(source, dict) or (isinstance(citations, dict) and citations.get("enabled")):
        return None
    if source.get("type") == "text":
        return {"type": "text", "text": text_of(source.get("data"))}
    if source.get("type") != "base64" or source.get("media_type") != "application/pdf":
        return None
    data = f"data:application/pdf;base64,{text_of(source.get('data'))}"
    return {"type": "file", "file": {"filename": text_of(block.get("title")) or "document.pdf", "file_data": data}}


def _json(value: object) -> str:
    try:
        return orjson.dumps({} if value is None else value).decode()
    except TypeError:  # an unpaired surrogate somewhere inside
        import json

        return json.dumps(value)
