"""Which dialects are there, by name?"""

from __future__ import annotations

from router.dialects.anthropic import Anthropic
from router.dialects.contracts import Dialect
from router.dialects.openai import OpenAI

OPENAI: Dialect = OpenAI()
ANTHROPIC: Dialect = Anthropic()


_BY_NAME = {dialect.name: dialect for dialect in (OPENAI, ANTHROPIC)}


def dialect_named(name: str) -> Dialect:
    """The dialect of a request, a model or an exchange. Raises: KeyError for a name that is not known."""
    return _BY_NAME[name]
