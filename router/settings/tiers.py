"""What may be said about tiers, their models and their prices?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from router.settings.breaker import BreakerSettings
from router.settings.values import ModelName, Strict, TierName, UsdPerMtok

_SINCE_EVER = datetime.min.replace(tzinfo=UTC)


def instant_of(value: object) -> datetime:
    """A date (midnight) or an instant, in UTC where nothing else is said. Raises: ValueError."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day)  # noqa: DTZ001 - the zone follows
    if not isinstance(found, datetime):
        raise ValueError(f"must be a date like 2026-11-01, or an instant like 2026-11-01T06:00:00Z, not {value!r}")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


Instant = Annotated[datetime, BeforeValidator(instant_of)]


class DatedPriceSettings(Strict):
    """What a model costs from a date on."""

    since: Instant = Field(alias="from", description="Date (midnight UTC) or instant from which on this is the price.")
    input_usd_per_mtok: UsdPerMtok = Field(description="Per million tokens of the conversation.")
    output_usd_per_mtok: UsdPerMtok = Field(description="Per million tokens of the answer.")
    cached_usd_per_mtok: UsdPerMtok | None = Field(None, description="Cached input tokens; null: as input tokens.")


class PriceSettings(Strict):
    """What a model costs, in USD per million tokens. A local model costs an explicit 0. A list has a row for each change."""

    since: Instant | None = Field(
        None,
        alias="from",
        description="Date (midnight UTC) or instant from which on this is the price; null: since ever.",
    )
    input_usd_per_mtok: UsdPerMtok = Field(description="Per million tokens of the conversation.")
    output_usd_per_mtok: UsdPerMtok = Field(description="Per million tokens of the answer.")
    cached_usd_per_mtok: UsdPerMtok | None = Field(None, description="Cached input tokens; null: as input tokens.")
    changes: tuple[DatedPriceSettings, ...] = Field(
        (), description="Later prices. `price: [{from: ..., ...}, ...]` is a shorter way to write them."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_with_changes(cls, value: object) -> object:
        """A list of dated rows is the earliest of them with the others as its changes."""
        if not isinstance(value, list | tuple):
            return value
        if not value or not all(isinstance(row, Mapping) for row in value):
            raise ValueError("a list of prices needs rows like {from: 2026-11-01, input_usd_per_mtok: ...}")
        if sum(row.get("from") is None for row in value) > 1:
            raise ValueError("only one price may be without `from`: it holds until the first dated one")
        first, *later = sorted(
            value, key=lambda row: _SINCE_EVER if row.get("from") is None else instant_of(row["from"])
        )
        return {**first, "changes": later}

    @model_validator(mode="after")
    def _dates_differ(self) -> PriceSettings:
        dates = [row.since for row in self.changes] + ([self.since] if self.since is not None else [])
        if len(set(dates)) < len(dates):
            raise ValueError("two prices have the same `from`")
        if self.since is not None and self.since > min(dates):
            raise ValueError("a change lies before the first price's `from`")
        return self


class ModelSettings(Strict):
    """A model of a tier, at a provider."""

    provider: str = Field(description="A key of `providers`.")
    model: ModelName = Field(description="The pinned model id, as the provider spells it.")
    context_tokens: int = Field(128_000, ge=256, description="Context window: conversation and answer together.")
    price: PriceSettings | None = Field(
        None,
        description="One price, or a list of dated ones; null: looked up in the price table when the router starts.",
    )
    retires: date | None = Field(
        None,
        description="Day on which the provider switches it off, as announced: an alert is raised 30 and 7 days before.",
    )


class TierSettings(Strict):
    """A price and quality class. Its models are the fallback chain, in order."""

    name: TierName = Field(description="Asked for in `model`, shown in headers, metrics and figures.")
    models: tuple[ModelSettings, ...] = Field(min_length=1, description="The fallback chain, in order.")
    max_concurrency: int | None = Field(
        None, ge=1, description="Requests that the tier works on at once, in each router process; null: no limit."
    )
    max_waiting: int = Field(
        100, ge=0, description="Requests that may wait for a place; one more goes to the tier above at once."
    )
    max_wait_seconds: float = Field(1, ge=0, description="Longest wait for a place before going to the tier above.")
    breaker: BreakerSettings | None = Field(
        None, description="For this tier and its models, in place of `routing.breaker`."
    )
