"""Which model is asked in the name of a tier when a request is mirrored? The pinned one; for an upgrade the other one."""

from __future__ import annotations

from router.settings import ModelSettings
from shadow.settings import Settings
from shadow.store import tier_pins, upgrade_pairs
from shadow.store.engine import AsyncConnection
from shadow.upgrades.pins import CANDIDATE_TIER, PINNED_TIER, chains, model_of


async def asked_instead(
    connection: AsyncConnection, settings: Settings, request_id: str
) -> dict[str, tuple[ModelSettings, ...]]:
    """tier -> models to ask, in order, where they are others than configured. Cost: two small queries."""
    found = chains(settings, await tier_pins.in_force(connection))
    pair = await upgrade_pairs.models_of(connection, request_id)
    if pair is not None:  # each alone: a fallback's answer would speak for the wrong model
        found[CANDIDATE_TIER], found[PINNED_TIER] = (model_of(pair[0]),), (model_of(pair[1]),)
    return found
