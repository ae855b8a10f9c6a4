"""What does the configuration say about who may use the console and decide? The section `auth`."""

from __future__ import annotations

from pydantic import Field

from shadow.configuration.quality import Section


class AuthSettings(Section):
    """Tokens and roles: `shadow token`. On loopback they are off by default; beyond it they are always asked for."""

    required: bool = Field(
        False,
        description="Ask for a token on loopback, too, and for SHADOW_TOKEN where a command decides something.",
    )
    session_hours: float = Field(12.0, gt=0, le=24 * 90, description="How long a login lasts.")
    token_days: float = Field(
        90.0, gt=0, le=3660, description="How long a token is valid if `--expires` does not say otherwise."
    )
    failed_logins: int = Field(
        10, ge=1, le=1000, description="Wrong tokens from one address within 15 minutes; then it waits."
    )
