"""Is this answer good enough to stop at, or is the next tier to be asked?

Only what can be seen without a model is looked at, and only for the causes that the configuration names:
- *schema*: the client asked for JSON (`response_format`), and this is not it. An answer of tool calls is not looked at;
- *empty*: neither text nor a tool call, nor anything else (a refusal in words, audio);
- *truncated*: the model's own limit ended it; where the client had set the limit, that was the client's wish;
- *refusal*: the model says that it can't. Only short answers that begin so, as quoting such words is no refusal.
What a content filter has stopped is never a flaw: it is passed on, not routed around.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import orjson

from router.answers import Answer
from router.chat import ChatRequest
from router.results import Flaw, Validation
from router.schemas import SchemaCache

_LONGEST_REFUSAL = 400  # characters
_REFUSAL = re.compile(
    r"(?:i['’]?m (?:\w+ )?sorry|i am (?:\w+ )?sorry|sorry)?[,.;:]?\s*(?:but )?(?:unfortunately,? |as an ai\b[^.]{0,60}, )?"
    r"i(?:['’]m| am)? ?(?:can['’]?t|cannot|can not|won['’]t|will not|not able to|unable to)"
    r" (?:assist|help|comply|fulfil|fulfill|provide|answer|do that|complete|create|generate|write|discuss|continue)\b",
    re.IGNORECASE,
)


class Inspector:
    """Looks at whole answers. causes: the flaws that count; none: nothing is looked at."""

    def __init__(self, causes: Collection[Flaw], schemas: SchemaCache) -> None:
        self._causes = frozenset(causes)
        self._schemas = schemas

    def inspect(self, request: ChatRequest, answer: Answer) -> tuple[Flaw | None, Validation | None]:
        """(the worst flaw, what became of the JSON that was asked for). Cost: two look-ups where no JSON was asked for."""
        if not self._causes or answer.finish_reason == "content_filter":
            return None, None
        validation: Validation | None = None
        if (wanted := request.chat_fields.get("response_format")) is not None:
            validation = self._validated(wanted, answer)
        if not answer.text and not answer.tool_calls:
            if answer.refusal:
                return self._named("refusal"), validation
            if not answer.other_content and not request.chat_fields.get(
                "stop"
            ):  # a stop sequence may come first of all
                return self._named("empty") or (self._named("schema") if validation == "failed" else None), validation
            return None, validation
        if validation == "failed" and "schema" in self._causes:
            return "schema", validation
        if "truncated" in self._causes and answer.finish_reason == "length" and request.max_completion_tokens is None:
            return "truncated", validation
        if "refusal" in self._causes and is_refusal(answer.text):
            return "refusal", validation
        return None, validation

    def _named(self, flaw: Flaw) -> Flaw | None:
        return flaw if flaw in self._causes else None

    def _validated(self, wanted: object, answer: Answer) -> Validation | None:
        kind = wanted.get("type") if isinstance(wanted, dict) else None
        if kind not in ("json_schema", "json_object") or answer.tool_calls or answer.refusal or answer.other_content:
            return None
        if kind == "json_object":
            return "passed" if _is_object(answer.text) else "failed"
        named = wanted.get("json_schema") if isinstance(wanted, dict) else None
        schema = named.get("schema") if isinstance(named, dict) else None
        if schema is None:
            return "skipped"
        kept = self._schemas.check(schema, answer.text)
        return "skipped" if kept is None else "passed" if kept else "failed"


def is_refusal(text: str) -> bool:
    """Does the model say that it can't or won't? Made to miss a refusal rather than to see one that is none."""
    return len(text) <= _LONGEST_REFUSAL and _REFUSAL.match(text.lstrip()) is not None


def _is_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return False
