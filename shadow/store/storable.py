"""Which text can PostgreSQL hold? JSON from clients can carry more."""

from __future__ import annotations


def storable(text: str | None) -> str | None:
    """Text that PostgreSQL can hold: no NUL, no lone surrogates. Clients may send both in JSON."""
    if text is None or (text.isascii() and "\x00" not in text):
        return text
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
