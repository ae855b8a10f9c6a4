"""Which model is pinned for a tier, and how is it written down? The configuration's first one, unless the store says else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from router.pricing import Price, resolve_prices
from router.settings import ModelSettings, TierSettings
from shadow.settings import Settings
from shadow.store.tier_pins import PinRow

CANDIDATE_TIER, PINNED_TIER = "(candidate)", "(pinned)"
"""What stands for a tier where the other model of an upgrade has answered. No tier can have these names."""


def spec_of(model: ModelSettings) -> dict[str, Any]:
    """A model as plain JSON, read back by `model_of`."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def model_of(spec: Mapping[str, Any]) -> ModelSettings:
    return ModelSettings.model_validate(dict(spec))


def name_of(spec: Mapping[str, Any]) -> str:
    """`provider:model`."""
    return f"{spec['provider']}:{spec['model']}"


def is_in_force(row: PinRow, settings: Settings) -> bool:
    """Whether the configuration still names the model that the row stands in for: a changed file wins."""
    first = next((tier.models[0] for tier in settings.tiers if tier.name == row.tier), None)
    return first is not None and (first.provider, first.model) == (row.configured["provider"], row.configured["model"])


def pinned_model(settings: Settings, tier: str, row: PinRow | None) -> ModelSettings:
    """The model that serves a tier first. row: the newest pin of the tier."""
    first = next(found.models[0] for found in settings.tiers if found.name == tier)
    if row is None or row.pinned is None or not is_in_force(row, settings):
        return first
    return model_of(row.pinned)


def chains(settings: Settings, rows: Sequence[PinRow]) -> dict[str, tuple[ModelSettings, ...]]:
    """tier -> the models to ask in its name, for the tiers whose first model is another one than configured."""
    found = {}
    for row in rows:
        if row.pinned is not None and is_in_force(row, settings):
            rest = next(tier.models[1:] for tier in settings.tiers if tier.name == row.tier)
            found[row.tier] = (model_of(row.pinned), *rest)
    return found


def price_of(settings: Settings, model: ModelSettings) -> Price:
    """Raises: PriceUnknown."""
    named = TierSettings(name="upgrade", models=(model,))
    return resolve_prices(settings.providers, [named])[model.provider, model.model]
