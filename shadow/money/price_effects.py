"""What does a change of prices do to the bill, and to the order of the tiers?

Tiers are listed cheapest first. When a price changes, a "higher" tier may become the cheaper one for the very requests that a
lower tier serves: then routing down costs money and quality. Token counts are exact, so these figures are, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from router.pricing import Price
from router.settings import TierSettings
from shadow.store.prices import PriceRow
from shadow.store.spend import Calls

Prices = Mapping[tuple[str, str], Price]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """A model's price before and from `starts_at` on, in USD per million input and output tokens."""

    tier: str
    provider: str
    model: str
    starts_at: datetime
    input_before: Decimal
    input_after: Decimal
    output_before: Decimal
    output_after: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Inversion:
    """The higher tier's first model answers the lower tier's calls for less. *_usd: of one call with those mean token counts."""

    lower_tier: str
    higher_tier: str
    prompt_tokens: float
    completion_tokens: float
    lower_usd: Decimal
    higher_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEffect:
    """The window's calls at the prices of an instant. changes: what is different from the time of the calls.

    repriced_usd: what they would have cost; models that are no longer configured keep their price. stepped: some model charges
    more for long prompts, and its mean prompt decided which rate was taken.
    """

    at: datetime
    changes: tuple[PriceChange, ...]
    actual_usd: Decimal
    repriced_usd: Decimal
    inversions: tuple[Inversion, ...]
    stepped: bool


def price_effects(
    calls: Sequence[Calls],
    tiers: Sequence[TierSettings],
    prices: Prices,
    seen: Sequence[PriceRow],
    *,
    since: datetime,
    now: datetime,
) -> tuple[PriceEffect, ...]:
    """One effect for now, if a price changed within the window or tiers are out of order, and one for each change to come."""
    tier_of = {(entry.provider, entry.model): tier.name for tier in tiers for entry in tier.models}
    past = _past_changes(seen, tier_of, since=since, now=now)
    today = _effect(calls, tiers, prices, past, at=now)
    effects = [today] if past or today.inversions else []
    dates = sorted({c.since for p in prices.values() for c in p.changes if c.since is not None and c.since > now})
    for date in dates:
        coming = tuple(
            _change(key, tier_of[key], price, date)
            for key, price in sorted(prices.items())
            if key in tier_of and any(change.since == date for change in price.changes)
        )
        if coming:
            effects.append(_effect(calls, tiers, prices, coming, at=date))
    return tuple(effects)


def inversions(
    calls: Sequence[Calls], tiers: Sequence[TierSettings], prices: Prices, *, at: datetime
) -> tuple[Inversion, ...]:
    """Pairs of tiers whose order the prices of an instant contradict, at the token counts observed on the lower one."""
    found = []
    for position, lower in enumerate(tiers):
        own = [call for call in calls if call.tier == lower.name]
        count = sum(call.calls for call in own)
        if not count or not sum(call.completion_tokens for call in own):
            continue
        prompt = sum(call.prompt_tokens for call in own)
        completion = sum(call.completion_tokens for call in own)
        cached = sum(call.cached_tokens for call in own)
        cost = _first_price(lower, prices, at, prompt / count)
        lower_usd = cost(prompt, completion, cached) / count
        for higher in tiers[position + 1 :]:
            higher_usd = _first_price(higher, prices, at, prompt / count)(prompt, completion, cached) / count
            if higher_usd < lower_usd:
                found.append(
                    Inversion(
                        lower_tier=lower.name,
                        higher_tier=higher.name,
                        prompt_tokens=prompt / count,
                        completion_tokens=completion / count,
                        lower_usd=lower_usd,
                        higher_usd=higher_usd,
                    )
                )
    return tuple(found)


class _Summed:
    """A price applied to the tokens of many calls at once: the rate for long prompts is that of the mean prompt."""

    def __init__(self, price: Price, mean_prompt_tokens: float) -> None:
        self._rates = price.rates
        for start, rates in price.above:
            if mean_prompt_tokens > start:
                self._rates = rates

    def __call__(self, prompt: int, completion: int, cached: int) -> Decimal:
        rates = self._rates
        return (prompt - cached) * rates.input_usd + cached * rates.cached_usd + completion * rates.output_usd


def _first_price(tier: TierSettings, prices: Prices, at: datetime, mean_prompt_tokens: float) -> _Summed:
    first = tier.models[0]
    return _Summed(prices[first.provider, first.model].at(at), mean_prompt_tokens)


def _effect(
    calls: Sequence[Calls],
    tiers: Sequence[TierSettings],
    prices: Prices,
    changes: tuple[PriceChange, ...],
    *,
    at: datetime,
) -> PriceEffect:
    repriced, stepped = Decimal(0), False
    for call in calls:
        price = prices.get((call.provider, call.model))
        if price is None or not call.calls:
            repriced += call.cost_usd
            continue
        then = price.at(at)
        stepped = stepped or bool(then.above)
        applied = _Summed(then, call.prompt_tokens / call.calls)
        repriced += applied(call.prompt_tokens, call.completion_tokens, call.cached_tokens)
    return PriceEffect(
        at=at,
        changes=changes,
        actual_usd=sum((call.cost_usd for call in calls), Decimal(0)),
        repriced_usd=repriced,
        inversions=inversions(calls, tiers, prices, at=at),
        stepped=stepped,
    )


def _past_changes(
    seen: Sequence[PriceRow], tier_of: Mapping[tuple[str, str], str], *, since: datetime, now: datetime
) -> tuple[PriceChange, ...]:
    """Changes that took effect within the window; a model's first price is none."""
    changes = []
    before: dict[tuple[str, str], PriceRow] = {}
    for row in sorted(seen, key=lambda row: (row.starts_at, row.seen_at)):
        key = (row.provider, row.model)
        earlier = before.get(key)
        if key in tier_of and earlier is not None and since < row.starts_at <= now and earlier.rates != row.rates:
            changes.append(
                PriceChange(
                    tier=tier_of[key],
                    provider=row.provider,
                    model=row.model,
                    starts_at=row.starts_at,
                    input_before=earlier.input_usd_per_mtok,
                    input_after=row.input_usd_per_mtok,
                    output_before=earlier.output_usd_per_mtok,
                    output_after=row.output_usd_per_mtok,
                )
            )
        before[key] = row
    return tuple(changes)


def _change(key: tuple[str, str], tier: str, price: Price, date: datetime) -> PriceChange:
    held = [price, *(change for change in price.changes if change.since is not None and change.since < date)][-1]
    then = price.at(date)
    million = Decimal(1_000_000)
    return PriceChange(
        tier=tier,
        provider=key[0],
        model=key[1],
        starts_at=date,
        input_before=held.rates.input_usd * million,
        input_after=then.rates.input_usd * million,
        output_before=held.rates.output_usd * million,
        output_after=then.rates.output_usd * million,
    )
