"""Which JSON value does this text hold, even when a model fenced it, talked around it or broke it slightly?"""

from __future__ import annotations

import ast
import json
import re
from typing import Any

_FENCE = re.compile(r"```(?:json|JSON)?[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_CONSTANT = re.compile(r"\b(True|False|None)\b")
#: LaTeX commands that JSON would read as an escape and the rest of a word: `\\frac` as a form feed and `rac`.
_LATEX = re.compile(
    r"(?<!\\)\\(?=(?:frac|forall|text|textbf|textit|times|theta|tan|tanh|tau|tfrac|triangle|therefore|neq|nabla|not|notin|rho|right"
    r"|rangle|rfloor|rceil|rvert|rightarrow|mathrm|beta|binom|bar|begin|bmatrix|bmod|boxed|bigl?|bigr|bullet|because|backslash)(?![a-z]))"
)
_MAX_DEPTH = 40


def find_json(text: str) -> dict[str, Any] | list[Any] | None:
    """The object or list that makes up the text: the text itself, a fenced block, or the widest braces in it.

    None where there is none or where it cannot be read without guessing.
    """
    text = text.strip()
    for candidate in _candidates(text):
        value = _read(candidate)
        if isinstance(value, dict | list) and value:
            return value
    return None


def _candidates(text: str) -> list[str]:
    found = [text] if text[:1] in "{[" and text else []
    found += [block.strip() for block in _FENCE.findall(text)[:4] if block.strip()[:1] in "{["]
    starts = [i for i in (text.find("{"), text.find("[{")) if i >= 0]
    if starts:
        start = min(starts)
        end = max(text.rfind("}"), text.rfind("]"))
        found.append(text[start : end + 1] if end > start else text[start:])
        found.append(text[start:])
    return list(dict.fromkeys(c for c in found if c))


def _read(text: str) -> Any:
    if _too_deep(text):
        return None
    text = _LATEX.sub(r"\\\\", text)
    for attempt in (text, _literal_backslashes(text), _repair(text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _too_deep(text: str) -> bool:
    depth = deepest = 0
    for sign in text:
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest > _MAX_DEPTH


def _literal_backslashes(text: str) -> str:
    """Backslashes that JSON does not know, as in LaTeX, made literal."""
    return re.sub(r'\\(?!["\\/bfnrtu])', r"\\\\", text)


def _repair(text: str) -> str:
    """Trailing commas gone, Python constants as JSON ones, what was left open closed."""
    text = _TRAILING_COMMA.sub(r"\1", _literal_backslashes(text))
    text = _CONSTANT.sub(lambda m: {"True": "true", "False": "false", "None": "null"}[m[1]], text)
    open_signs: list[str] = []
    inside = escaped = False
    for sign in text:
        if escaped:
            escaped = False
        elif sign == "\\":
            escaped = inside
        elif sign == '"':
            inside = not inside
        elif not inside and sign in "[{":
            open_signs.append("]" if sign == "[" else "}")
        elif not inside and sign in "]}" and open_signs:
            open_signs.pop()
    closed = text + ('"' if inside else "")
    return _TRAILING_COMMA.sub(r"\1", closed.rstrip().rstrip(",") + "".join(reversed(open_signs)))


def field_by_pattern(text: str, names: tuple[str, ...]) -> str | None:
    """The text of the last field of one of these names in something that looks like JSON but cannot be read."""
    pattern = rf'["\'](?:{"|".join(names)})["\']\s*:\s*(?:"((?:[^"\\\n]|\\.)*)"?|([^,}}\n]+))'
    found = re.findall(pattern, text, re.IGNORECASE)
    if not found:
        return None
    return (found[-1][0] or found[-1][1]).strip() or None
