"""What does the configuration say about alarms between reports? The part `alerts.watch`."""

from __future__ import annotations

from pydantic import Field

from shadow.configuration.quality import Section


class WatchSettings(Section):
    """Alarms at each roll-up when the judged accuracy of a tier, model and query type falls."""

    alpha: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Probability that any stream whose watch begins in a quarter ever gives a false alarm.",
    )
    baseline_pairs: int = Field(
        2_000, ge=2_000, le=1_000_000, description="Judged pairs that a stream's baseline is frozen from."
    )
    tolerance: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="How many more failures than the baseline's upper bound are put up with, as a share.",
    )
    watermark_minutes: float = Field(
        60.0,
        ge=0,
        le=7 * 24 * 60,
        description="Pairs are looked at so long after their request, with or without a verdict.",
    )
