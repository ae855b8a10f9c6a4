"""How is an OpenAI chat request said to Anthropic?

- System and developer messages, wherever they stand, become the system prompt, in their order.
- `temperature` goes up to 2 there and up to 1 here: what is above becomes 1.
- A JSON schema in `response_format` becomes `output_config.format`; `user` becomes `metadata.user_id`.
- Hints in `metadata` are ours and stay here. Values that ask for what happens anyway (`n: 1`, say) are left out.
Anything else that has no counterpart is lost, and named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from router.dialects.contracts import Translated
from router.dialects.paths import Lost, objects
from router.dialects.to_anthropic_messages import anthropic_messages

_HINT = "x-shadow-"
_SAID = frozenset(
    {
        *(
            "model",
            "messages",
            "max_tokens",
            "max_completion_tokens",
            "stream",
            "stream_options",
            "temperature",
            "top_p",
        ),
        *("stop", "tools", "tool_choice", "parallel_tool_calls", "response_format", "user", "metadata"),
    }
)
#: Fields without a counterpart, with the values that change nothing.
_IDLE: Mapping[str, tuple[object, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "store": (False,),
    "service_tier": ("auto", "default"),
    "modalities": (["text"],),
}
_CHOICES: Mapping[str, str] = {"auto": "auto", "none": "none", "required": "any"}


def to_anthropic_request(fields: Mapping[str, Any]) -> Translated:
    """The request without `model`, and without `max_tokens` where the client set no limit. Never fails."""
    lost = Lost()
    system, messages = anthropic_messages(fields.get("messages"), lost)
    said: dict[str, Any] = {"messages": messages}
    if system:
        said["system"] = system
    limit = fields.get("max_completion_tokens", fields.get("max_tokens"))
    if limit is not None:
        said["max_tokens"] = limit
    if fields.get("stream") is True:
        said["stream"] = True
    if (temperature := fields.get("temperature")) is not None:
        said["temperature"] = min(temperature, 1) if isinstance(temperature, int | float) else temperature
    if fields.get("top_p") is not None:
        said["top_p"] = fields["top_p"]
    if stop := fields.get("stop"):
        said["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if fields.get("user"):
        said["metadata"] = {"user_id": fields["user"]}
    _tools(fields, said, lost)
    _format(fields.get("response_format"), said, lost)
    metadata = fields.get("metadata")
    if isinstance(metadata, Mapping) and any(not str(key).lower().startswith(_HINT) for key in metadata):
        lost.note("metadata")
    for name, value in fields.items():
        if name not in _SAID and value not in _IDLE.get(name, ()):
            lost.note(name, value)
    return Translated(fields=said, lost=tuple(lost))


def _tools(fields: Mapping[str, Any], said: dict[str, Any], lost: Lost) -> None:
    tools = []
    for path, tool in objects(fields.get("tools") or [], "tools", lost):
        function = tool.get("function")
        if tool.get("type") != "function" or not isinstance(function, dict):
            lost.note(path)
            continue
        lost.others(function, ("name", "description", "parameters", "strict"), f"{path}.function.")
        known: dict[str, Any] = {"name": function.get("name")}
        if function.get("description"):
            known["description"] = function["description"]
        known["input_schema"] = function.get("parameters") or {"type": "object", "properties": {}}
        if function.get("strict") is True:
            known["strict"] = True
        tools.append(known)
    if not tools:
        return
    said["tools"] = tools
    choice = _choice(fields.get("tool_choice"), lost)
    if fields.get("parallel_tool_calls") is False and (choice or {}).get("type") != "none":
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    if choice is not None:
        said["tool_choice"] = choice


def _choice(choice: object, lost: Lost) -> dict[str, Any] | None:
    if isinstance(choice, str) and choice in _CHOICES:
        return {"type": _CHOICES[choice]}
    if isinstance(choice, dict) and choice.get("type") == "function" and isinstance(choice.get("function"), dict):
        return {"type": "tool", "name": choice["function"].get("name")}
    lost.note("tool_choice", choice)
    return None


def _format(wanted: object, said: dict[str, Any], lost: Lost) -> None:
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if isinstance(wanted, dict) and kind == "json_schema":
        described = wanted.get("json_schema")
        schema = described.get("schema") if isinstance(described, dict) else None
        if isinstance(schema, dict):
            said["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
            return
    if kind != "text":
        lost.note("response_format", wanted)
