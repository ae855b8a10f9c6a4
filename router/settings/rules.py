"""What may a rule ask for?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from router.contracts import Impact, Tolerance
from router.settings.values import Names, Strict, as_list

Subject = Literal["legal", "money", "personal_data"]


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
    max_context_tokens: int | None = Field(None, ge=0, description="Estimated tokens of the conversation, at most.")
    min_context_tokens: int | None = Field(None, ge=0, description="Estimated tokens of the conversation, at least.")
    contains_any: Names = Field(
        (), description="Parts of the last user message, in any letter case; `hi` is a part of `this`, too."
    )
    words_any: Names = Field(
        (), description="Whole words or phrases of the last user message, in any letter case, whatever stands between."
    )
    mentions: Annotated[tuple[Subject, ...], BeforeValidator(as_list)] = Field(
        (),
        description="Subjects that the last user message speaks of, found by word lists (English, German, French, Spanish)"
        " and patterns: law and contracts; amounts, payments and accounts; what identifies a person.",
    )
    has_tools: bool | None = Field(None, description="Whether the request offers tools.")
    has_images: bool | None = Field(None, description="Whether the conversation holds images.")
    wants_json: bool | None = Field(None, description="Whether `response_format` asks for JSON.")

    @field_validator("feature", "user", "query_type", "contains_any")
    @classmethod
    def _says_something(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if "" in names:
            raise ValueError("an empty text is not allowed")
        return names

    @field_validator("words_any")
    @classmethod
    def _are_words(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        for word in words:
            if not any(character.isalnum() for character in word):
                raise ValueError(f"{word!r} holds no word; contains_any finds any characters")
        return words

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
