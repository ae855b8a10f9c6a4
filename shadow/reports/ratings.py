"""What did clients think of each tier's answers? Shares of good ratings, with their intervals, marked as what they are.

Who rates has chosen to. The interval says how sure the share *among those who rate* is; it says nothing about the others, so
these figures stand beside the accuracy and never in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shadow.statistics.estimate import Estimate
from shadow.statistics.wilson import wilson_interval
from shadow.store.feedback import RatingCount


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRatings:
    """Ratings of one tier's answers. good: share of "up" among the rated, self-selected; None without ratings.

    retries: another answer was asked for without a rating. signals: a session showed that the answer did not help.
    """

    tier: str
    up: int
    down: int
    good: Estimate | None
    retries: int
    signals: int


def tier_ratings(
    counts: Sequence[RatingCount], tiers: Sequence[str], *, level: float = 0.95
) -> tuple[TierRatings, ...]:
    """By tier, cheapest first, those no longer configured before them. Tiers nobody spoke of are left out."""
    named = {count.tier for count in counts}
    order = [*sorted(named - set(tiers)), *(tier for tier in tiers if tier in named)]
    return tuple(_of(tier, [count for count in counts if count.tier == tier], level) for tier in order)


def _of(tier: str, counts: Sequence[RatingCount], level: float) -> TierRatings:
    by_source = {count.source: count for count in counts}
    rated = by_source.get("user")
    up, down = (rated.up, rated.down) if rated is not None else (0, 0)
    return TierRatings(
        tier=tier,
        up=up,
        down=down,
        good=_share(up, up + down, level),
        retries=by_source["retry"].down if "retry" in by_source else 0,
        signals=by_source["session"].down if "session" in by_source else 0,
    )


def _share(part: int, whole: int, level: float) -> Estimate | None:
    if whole == 0:
        return None
    low, high = wilson_interval(part / whole, whole, level=level)
    return Estimate(
        value=part / whole,
        low=low,
        high=high,
        n=whole,
        level=level,
        method="wilson",
        effective_n=float(whole),
        corrected=False,
    )
