"""How is an Anthropic messages request said to OpenAI-compatible endpoints?

- The system prompt becomes the first message; its blocks are separated by a blank line.
- `cache_control` is left out: these endpoints cache by themselves, and the answer is the same.
- A schema in `output_config.format` becomes `response_format`, enforced; `metadata.user_id` becomes `user`.
Anything else that has no counterpart (thinking, server tools, top_k, ...) is lost, and named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from router.dialects.contracts import Translated
from router.dialects.paths import Lost, objects, text_of
from router.dialects.to_openai_messages import openai_messages, system_text

_SAID = frozenset(
    {
        *("model", "messages", "max_tokens", "stream", "system", "temperature", "top_p", "stop_sequences", "tools"),
        *("tool_choice", "metadata", "output_config", "output_format", "thinking", "cache_control"),
    }
)
_IDLE: Mapping[str, tuple[object, ...]] = {"service_tier": ("auto",), "speed": ("standard",)}
_CHOICES: Mapping[str, str] = {"auto": "auto", "none": "none", "any": "required"}
_TOOL = ("type", "name", "description", "input_schema", "strict", "cache_control")


def to_openai_request(fields: Mapping[str, Any]) -> Translated:
    """The request without `model`. Never fails, whatever is in it."""
    lost = Lost()
    system = system_text(fields.get("system"), lost)
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    said: dict[str, Any] = {"messages": messages + openai_messages(fields.get("messages"), lost)}
    for name in ("max_tokens", "temperature", "top_p"):
        if fields.get(name) is not None:
            said[name] = fields[name]
    if fields.get("stream") is True:
        said["stream"] = True
    if stops := fields.get("stop_sequences"):
        said["stop"] = stops
    _tools(fields, said, lost)
    _format(fields, said, lost)
    _metadata(fields.get("metadata"), said, lost)
    thinking = fields.get("thinking")
    if not isinstance(thinking, dict) or thinking.get("type") != "disabled":
        lost.note("thinking", thinking)
    for name, value in fields.items():
        if name not in _SAID and value not in _IDLE.get(name, ()):
            lost.note(name, value)
    return Translated(fields=said, lost=tuple(lost))


def _tools(fields: Mapping[str, Any], said: dict[str, Any], lost: Lost) -> None:
    tools = []
    given = fields.get("tools")
    for path, tool in objects(given if given is not None else [], "tools", lost):
        if tool.get("type") not in (None, "custom"):
            lost.note(path)
            continue
        lost.others(tool, _TOOL, f"{path}.")
        function: dict[str, Any] = {"name": tool.get("name")}
        if tool.get("description"):
            function["description"] = tool["description"]
        function["parameters"] = tool.get("input_schema") or {"type": "object", "properties": {}}
        if tool.get("strict") is True:
            function["strict"] = True
        tools.append({"type": "function", "function": function})
    if not tools:
        return
    said["tools"] = tools
    choice = fields.get("tool_choice")
    if not isinstance(choice, dict):
        lost.note("tool_choice", choice)
        return
    kind = choice.get("type")
    if isinstance(kind, str) and kind in _CHOICES:
        said["tool_choice"] = _CHOICES[kind]
    elif kind == "tool":
        said["tool_choice"] = {"type": "function", "function": {"name": choice.get("name")}}
    else:
        lost.note("tool_choice")
    if choice.get("disable_parallel_tool_use") is True:
        said["parallel_tool_calls"] = False


def _format(fields: Mapping[str, Any], said: dict[str, Any], lost: Lost) -> None:
    config = fields.get("output_config")
    wanted = config.get("format") if isinstance(config, dict) else None
    if isinstance(config, dict):
        lost.others(config, ("format",), "output_config.")
    else:
        lost.note("output_config", config)
    path = "output_config.format" if wanted is not None else "output_format"
    wanted = wanted if wanted is not None else fields.get("output_format")
    schema = wanted.get("schema") if isinstance(wanted, dict) and wanted.get("type") == "json_schema" else None
    if isinstance(schema, dict):
        described = {"name": "answer", "schema": schema, "strict": True}
        said["response_format"] = {"type": "json_schema", "json_schema": described}
    else:
        lost.note(path, wanted)


def _metadata(metadata: object, said: dict[str, Any], lost: Lost) -> None:
    if not isinstance(metadata, dict):
        lost.note("metadata", metadata)
        return
    if user := text_of(metadata.get("user_id")):
        said["user"] = user
    for name, value in metadata.items():
        if name != "user_id" and not str(name).lower().startswith("x-shadow-"):
            lost.note(f"metadata.{name}", value)
