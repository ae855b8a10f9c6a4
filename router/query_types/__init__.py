"""What kind of request is this, where the caller did not say? The port; `router.query_types.choice` makes a classifier.

Nothing is loaded unless the configuration asks for it.
"""

from __future__ import annotations

from typing import Protocol

UNKNOWN = "unknown"


class QueryTypes(Protocol):
    """Names the type of a request from its last user message."""

    def classify(self, text: str) -> str:
        """A type, or "unknown". Never fails on a text."""
        ...
