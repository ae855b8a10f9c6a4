"""What may be said about users who are not content with an answer?"""

from __future__ import annotations

from pydantic import Field

from router.settings.values import Share, Strict


class SessionSettings(Strict):
    """A user who asks again in other words, or is frustrated, gets the next tier (reason `session`)."""

    enabled: bool = Field(True, description="false: nobody looks for it.")
    likeness: Share = Field(
        0.7,
        description="Share of the words that two turns must have in common to be the same question; higher: found less often.",
    )
    minutes: float = Field(
        30, gt=0, description="How long the last request of a session (hint `x-shadow-session`) is remembered."
    )
    capacity: int = Field(
        5000, ge=0, description="Sessions remembered at most, the oldest are forgotten first; 0: conversations only."
    )
