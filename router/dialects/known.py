"""Which dialects are there, by name?"""

from __future__ import annotations

from router.dialects.anthropic import Anthropic
from router.dialects.contracts import Dialect
from router.dialects.openai import OpenAI

OPENAI: Dialect = OpenAI()
ANTHROPIC: Dialect = Anthropic()


def dialect_named(name: str) -> Dialect:
    """The dialect of an exchange. Raises: KeyError for a name that is not known."""
    return {OPENAI.name: OPENAI, ANTHROPIC.name: ANTHROPIC}[name]
