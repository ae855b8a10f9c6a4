"""What may a rule ask for?"""

from __future__ import annotations

from pydantic import Field, model_validator

from router.contracts import Impact, Tolerance
from router.settings.values import Names, Strict


class WhenSettings(Strict):
    """The conditions of a rule. All that are given must hold; of a list, one entry must."""

    feature: Names = Field((), description="One of these features, as hinted by the caller.")
    user: Names = Field((), description="One of these users, as hinted by the caller.")
    query_type: Names = Field(
        (), description="One of these query types, hinted or classified; `unknown` where neither is."
    )
    impact: Impact | None = Field(None, description="Exactly this impact; requests without a hint have `normal`.")
    error_tolerance: Tolerance | None = Field(
        None, description="Exactly this error tolerance; requests without a hint have `normal`."
    )
    max_words: int | None = Field(None, ge=0, description="Words of the last user message, at most.")
    min_words: int | None = Field(None, ge=0, description="Words of the last user message, at least.")
    min_context_tokens: int | None = Field(None, ge=0, description="Estimated tokens of the conversation, at least.")
    contains_any: Names = Field((), description="Parts of the last user message, in any letter case.")

    @model_validator(mode="after")
    def _not_empty(self) -> WhenSettings:
        if self == WhenSettings.model_construct():
            raise ValueError("a rule needs at least one condition")
        return self


class RuleSettings(Strict):
    """Requests that match go to `tier`, whatever the scorer says. The first rule that matches wins."""

    name: str = Field(min_length=1, max_length=100, description="Recorded with each request that it decides.")
    when: WhenSettings = Field(description="What a request must be like.")
    tier: str = Field(description="The tier that serves it.")
