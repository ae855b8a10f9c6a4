"""How likely is each tier to succeed on this request, compared with the reference?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from router.contracts import Features


class Scorer(Protocol):
    """Confidence in each tier, from what can be read off a request."""

    def scores(self, features: Features) -> Mapping[str, float]:
        """tier -> `1 - (P(reference succeeds) - P(tier succeeds))`, clipped to [0, 1]; the top tier has 1."""
        ...
