"""What is taken out of stored texts? Personal data that can be recognised by its form."""

from __future__ import annotations

import re
from collections.abc import Callable

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("EMAIL", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("IBAN", re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b")),
    ("CARD", re.compile(r"\b(?:\d[ -]?){12,18}\d\b")),
    ("KEY", re.compile(r"\b(?:sk|pk|ghp|xox[abp])[-_][A-Za-z0-9_-]{16,}")),
    ("IP", re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")),
    ("PHONE", re.compile(r"(?<![\w.])\+?\d(?:[ ().-]?\d){8,14}\b(?![.]\d)")),
)


def redact(text: str) -> str:
    """The text with e-mail addresses, IBANs, card numbers, API keys, IP addresses and telephone numbers replaced by their kind.

    Names and postal addresses can't be recognised by form and stay; store no text at all where they may not.
    """
    for kind, pattern in _PATTERNS:
        text = pattern.sub(f"[{kind}]", text)
    return text


def cleaner(store_text: str) -> Callable[[str], str] | None:
    """What is done to a text before it may stay; None where it stays as it is. store_text: full, redacted or none."""
    return {"full": None, "redacted": redact, "none": lambda _: ""}[store_text]
