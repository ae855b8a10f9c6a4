"""May this candidate be proposed for that tier, and can anything ever be shown about it? Asked before a request is mirrored."""

from __future__ import annotations

from datetime import datetime

from router.errors import PriceUnknown
from router.settings import ModelSettings
from shadow.errors import ConfigError, RefusedError
from shadow.sampling.draws import sample_probability
from shadow.settings import Settings
from shadow.store import tier_pins, upgrades
from shadow.store.engine import AsyncConnection
from shadow.upgrades.design import Design
from shadow.upgrades.pins import name_of, pinned_model, price_of, spec_of


async def propose(
    connection: AsyncConnection,
    settings: Settings,
    *,
    tier: str,
    candidate: ModelSettings,
    pinned: str = "pinned",
    rate: float | None = None,
    label_share: float | None = None,
    by: str,
    reason: str,
    now: datetime,
) -> int:
    """Store a proposal; its id. pinned: "pinned", or the pin that the proposer believes to be in force, as `provider:model`.

    Raises: ConfigError for what names nothing, RefusedError for what could show nothing.
    """
    if tier not in settings.tier_names:
        raise ConfigError(f"there is no tier {tier!r}: tiers are {', '.join(settings.tier_names)}")
    if candidate.provider not in settings.providers:
        known = ", ".join(settings.providers)
        raise ConfigError(f"there is no provider {candidate.provider!r} in the configuration: providers are {known}")
    try:
        price_of(settings, candidate)
    except PriceUnknown:
        raise ConfigError(
            f"no price is known for model {candidate.model!r} at {candidate.provider!r}: "
            "name it with --price INPUT,OUTPUT (USD per million tokens, 0,0 for a local model)"
        ) from None
    current = spec_of(pinned_model(settings, tier, await tier_pins.in_force_of(connection, tier)))
    if pinned not in {"pinned", name_of(current)}:
        raise RefusedError(f"the pin of tier {tier!r} is {name_of(current)}, not {pinned}")
    if name_of(current) == name_of(spec_of(candidate)):
        raise RefusedError(f"{name_of(current)} is the pin of tier {tier!r} already")
    design = Design.of(settings.upgrades, rate=rate, label_share=label_share)
    _check_design(settings, tier, design)
    return await upgrades.insert_proposal(
        connection,
        tier=tier,
        pinned=current,
        candidate=spec_of(candidate),
        design=design.as_json(),
        by=by,
        reason=reason,
        now=now,
    )


def _check_design(settings: Settings, tier: str, design: Design) -> None:
    """Raises: RefusedError where the design could never show anything."""
    if settings.routing.mode == "observe":
        raise RefusedError(
            "in mode observe no tier serves what it was decided for: upgrades need `routing.mode: route`"
        )
    if settings.sampling.store_text == "none":
        raise RefusedError("reviewers need texts, and `sampling.store_text: none` keeps none: use full or redacted")
    if sample_probability(settings.rates, served_tier=tier, tiers=settings.tier_names) >= 1.0:
        raise RefusedError(
            f"the ordinary samples take every request of tier {tier!r}: lower sampling.up or control_top"
        )
    asked = "pairwise" in settings.judges.panel and bool(settings.judges.asked)
    if tier == settings.tier_names[-1] and design.label_share < 1.0 and not asked:
        raise RefusedError(
            f"nothing is above tier {tier!r} to judge its answers against: have reviewers look at every pair (--labels 1), "
            "or add the judge `pairwise`, which holds the two models against each other in both orders"
        )
