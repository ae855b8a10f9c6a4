"""What does the configuration say about pinned-model upgrades? The section `upgrades`."""

from __future__ import annotations

from pydantic import Field

from shadow.configuration.quality import Section


class UpgradeSettings(Section):
    """Upgrades of pinned models: how a candidate is shadowed, when it is ready, and how it is switched."""

    rate: float = Field(
        0.2,
        gt=0,
        le=1,
        description="Share of the tier's requests that the candidate answers as well; `--rate` overrides.",
    )
    label_share: float = Field(
        0.25,
        ge=0.25,
        le=1,
        description="Share of these pairs that a reviewer is asked about, both answers blind. Nothing is ready without.",
    )
    margin: float = Field(
        0.05, gt=0, lt=1, description="Loss of accuracy that is tolerated; being worse by this much is what is tested."
    )
    alpha: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Chance of calling a candidate ready that is worse by the margin; and of false harm.",
    )
    cap_pairs: int = Field(5000, ge=50, description="Undecided after so many pairs: inconclusive.")
    budget_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Of sampling.budget_usd_per_day: an upgrade is mirrored only while the day's spend is below it.",
    )
    verdict_wait_hours: float = Field(
        6.0, ge=0, description="A pair that is not judged by then says nothing. Pairs count in request order."
    )
    label_wait_days: float = Field(
        14.0, gt=0, description="A drawn pair that no reviewer has labelled by then says nothing."
    )
    max_age_days: float = Field(
        14.0, gt=0, description="Evidence that is older can't be approved or promoted any more."
    )
    canary_share: float = Field(
        0.1, gt=0, le=1, description="Share of the tier's requests that the candidate serves first."
    )
    canary_rate: float = Field(
        0.5, gt=0, le=1, description="Share of the canary's requests that the pinned model answers in shadow."
    )
    canary_pairs: int = Field(500, ge=1, description="Fewest judged canary pairs before the rest follows by itself.")
    canary_hours: float = Field(24.0, ge=0, description="Least time before the rest follows by itself.")
    every_seconds: float = Field(60.0, gt=0, description="How often the scheduler looks at upgrades under way.")
