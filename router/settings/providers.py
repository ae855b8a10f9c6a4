"""What may be said about an endpoint that answers?"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from router.settings.values import Strict


class ProviderSettings(Strict):
    """One endpoint that answers chat completions."""

    kind: Literal["openai", "anthropic"] = Field(
        "openai",
        description="Dialect of the endpoint: `openai` for every compatible one, `anthropic` for Anthropic's own messages.",
    )
    base_url: str = Field(description="Up to and including the version, for example https://api.openai.com/v1.")
    api_key_env: str | None = Field(None, description="Environment variable holding the key; null: no key is sent.")
    timeout_seconds: float = Field(
        30, gt=0, description="Longest wait for a whole answer; when streaming, longest silence between two chunks."
    )
    first_token_seconds: float = Field(10, gt=0, description="Longest wait for the first streamed event.")
    max_retries: int = Field(2, ge=0, le=10, description="Further attempts at the same model before moving on.")
    stream_usage: bool = Field(
        True,
        description="Ask for the usage of a stream (`stream_options`) where the client does not; an endpoint that turns the field"
        " down is asked without it from then on.",
    )
    health_path: str | None = Field(
        None,
        pattern=r"^/[!-~]*$",
        max_length=500,
        description="Path below base_url for a cheap GET, `/models` for example: a model whose breaker is open gets the next"
        " request only after this has answered 2xx; null: the request itself is the probe.",
    )
    health_interval_seconds: float = Field(
        5, gt=0, description="How often `health_path` is asked while a breaker is open; never when all is well."
    )
    default_max_tokens: int = Field(
        4096,
        ge=1,
        description="Kind `anthropic` needs a limit for each answer: this one, where an OpenAI client names none.",
    )

    @field_validator("base_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("base_url must look like https://host/v1")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _names_a_version(self) -> ProviderSettings:
        if self.kind == "anthropic" and urlsplit(self.base_url).path == "":
            raise ValueError(f"base_url of kind anthropic ends with the version: {self.base_url}/v1")
        return self
