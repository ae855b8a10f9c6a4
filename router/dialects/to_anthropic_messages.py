"""How is an OpenAI conversation said to Anthropic?

There, roles alternate: neighbours of one role become one message. The results of tool calls are blocks of the user's
message that follows the calls, and come first in it.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from router.dialects.paths import Lost, objects, text_of

Block = dict[str, Any]
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.+-]+)*;base64,")
_COMMON = ("role", "content")


def anthropic_messages(messages: object, lost: Lost) -> tuple[list[Block], list[dict[str, Any]]]:
    """(blocks of the system prompt, messages)."""
    system: list[Block] = []
    said: list[dict[str, Any]] = []
    for path, message in objects(messages, "messages", lost):
        role = message.get("role")
        if role in ("system", "developer"):
            lost.others(message, _COMMON, f"{path}.")
            system += _text_blocks(message.get("content"), f"{path}.content", lost)
        elif role == "user":
            lost.others(message, _COMMON, f"{path}.")
            _add(said, "user", _user_blocks(message.get("content"), f"{path}.content", lost))
        elif role == "assistant":
            _add(said, "assistant", _assistant_blocks(message, path, lost))
        elif role == "tool":
            lost.others(message, (*_COMMON, "tool_call_id"), f"{path}.")
            _add(said, "user", [_result(message, path, lost)])
        else:
            lost.note(f"{path}.role")
    for message in said:
        if message["role"] == "user":
            message["content"].sort(key=lambda block: block["type"] != "tool_result")
    return system, said


def _add(said: list[dict[str, Any]], role: str, blocks: list[Block]) -> None:
    if said and said[-1]["role"] == role:
        said[-1]["content"] += blocks
    elif blocks:
        said.append({"role": role, "content": blocks})


def _user_blocks(content: object, path: str, lost: Lost) -> list[Block]:
    if isinstance(content, str):
        return [_text(content)]
    blocks: list[Block] = []
    for where, part in objects(content, path, lost):
        kind = part.get("type")
        if kind == "text":
            lost.others(part, ("type", "text", "cache_control"), f"{where}.")
            blocks.append(_cached(part, _text(text_of(part.get("text")))))
        elif kind == "image_url" and (source := _image(part.get("image_url"), f"{where}.image_url", lost)):
            blocks.append(_cached(part, {"type": "image", "source": source}))
        elif kind == "file" and (document := _document(part.get("file"))):
            blocks.append(document)
        else:
            lost.note(where)
    return blocks


def _assistant_blocks(message: dict[str, Any], path: str, lost: Lost) -> list[Block]:
    """Annotations are what a provider says about an answer; the model is not told about them."""
    lost.others(message, (*_COMMON, "tool_calls", "refusal", "annotations"), f"{path}.")
    blocks = _text_blocks(message.get("content"), f"{path}.content", lost)
    if refusal := text_of(message.get("refusal")):
        blocks.append(_text(refusal))
    calls = message.get("tool_calls")
    for where, call in objects(calls if calls is not None else [], f"{path}.tool_calls", lost):
        function = call.get("function")
        if not isinstance(function, dict):
            lost.note(where)
            continue
        arguments = _arguments(function.get("arguments"))
        if arguments is None:
            lost.note(f"{where}.function.arguments")
            continue
        block = {"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": arguments}
        blocks.append(block)
    return blocks


def _result(message: dict[str, Any], path: str, lost: Lost) -> Block:
    content = message.get("content")
    block: Block = {"type": "tool_result", "tool_use_id": message.get("tool_call_id")}
    block["content"] = content if isinstance(content, str) else _text_blocks(content, f"{path}.content", lost)
    return block


def _text_blocks(content: object, path: str, lost: Lost) -> list[Block]:
    """Text alone: of system prompts, answers and results. Empty texts are left out, as they are refused there."""
    if isinstance(content, str):
        return [_text(content)] if content else []
    blocks = []
    for where, part in objects(content, path, lost):
        text = part.get("text") if part.get("type") == "text" else part.get("refusal")
        if part.get("type") not in ("text", "refusal") or not isinstance(text, str):
            lost.note(where)
        elif text:
            blocks.append(_cached(part, _text(text)))
    return blocks


def _image(image: object, path: str, lost: Lost) -> Block | None:
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str):
        return None
    if isinstance(image, dict):
        lost.others(image, ("url", *(("detail",) if image.get("detail") == "auto" else ())), f"{path}.")
    if (match := _DATA_URL.match(url)) is not None:
        return {"type": "base64", "media_type": match[1], "data": url[match.end() :]}
    return {"type": "url", "url": url} if url.startswith(("https://", "http://")) else None


def _document(file: object) -> Block | None:
    """A file that is sent along. One that the provider stores is known to that provider alone."""
    data = file.get("file_data") if isinstance(file, dict) else None
    match = _DATA_URL.match(data) if isinstance(data, str) else None
    if match is None or not isinstance(file, dict) or not isinstance(data, str) or match[1] != "application/pdf":
        return None
    source = {"type": "base64", "media_type": match[1], "data": data[match.end() :]}
    title = {"title": file["filename"]} if isinstance(file.get("filename"), str) else {}
    return {"type": "document", "source": source, **title}


def _arguments(arguments: object) -> dict[str, Any] | None:
    """The object in the arguments of a call; None where they are none."""
    if arguments in (None, ""):
        return {}
    try:
        value = orjson.loads(arguments) if isinstance(arguments, str) else None
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None
    return value if isinstance(value, dict) else None


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _cached(part: dict[str, Any], block: Block) -> Block:
    """Some clients put Anthropic's own mark for its prompt cache on OpenAI parts."""
    return {**block, "cache_control": part["cache_control"]} if isinstance(part.get("cache_control"), dict) else block
