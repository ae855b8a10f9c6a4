"""What does a call cost?

Prices have dates: a call costs what its model cost when its request began, and a change takes effect at its date, without a
restart. A price comes from the configuration, else from the `genai-prices` table (found by the provider's address or its name in
the configuration, never by the model's name alone: the same weights cost different money at different places). A model
without a price stops the start: a cost that silently counts as 0 would make every saving look good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from router.errors import PriceUnknown
from router.settings import DatedPriceSettings, ModelSettings, PriceSettings, ProviderSettings, TierSettings

_MTOK = Decimal(1_000_000)
_LONG_AGO = date(2000, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """USD per single token."""

    input_usd: Decimal
    output_usd: Decimal
    cached_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a model charges. above: (prompt tokens, rates), ascending; past that many, all tokens cost those rates.

    since: from when on; None: since ever. changes: later prices, ascending by their own `since`, without changes themselves.
    """

    rates: Rates
    above: tuple[tuple[int, Rates], ...] = ()
    since: datetime | None = None
    changes: tuple[Price, ...] = ()

    def at(self, instant: datetime) -> Price:
        """The price in force at an (aware) instant; before the first one, that one."""
        found = self
        for later in self.changes:
            assert later.since is not None
            if later.since > instant:
                break
            found = later
        return found

    def cost_usd(
        self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0, *, at: datetime | None = None
    ) -> Decimal:
        """Cost of one call at an instant; None: now. `cached_tokens` are part of `prompt_tokens`, as in OpenAI's usage."""
        if self.changes:
            now = self.at(at or datetime.now(UTC))
            if now is not self:
                return now.cost_usd(prompt_tokens, completion_tokens, cached_tokens)
        rates = self.rates
        for start, higher in self.above:
            if prompt_tokens > start:
                rates = higher
        cached = min(cached_tokens, prompt_tokens)
        return (
            (prompt_tokens - cached) * rates.input_usd
            + cached * rates.cached_usd
            + completion_tokens * rates.output_usd
        )


def resolve_prices(
    providers: Mapping[str, ProviderSettings], tiers: Sequence[TierSettings]
) -> dict[tuple[str, str], Price]:
    """(provider, model) -> price, for every model of every tier.

    Raises: PriceUnknown with one line for each model that has none.
    """
    prices: dict[tuple[str, str], Price] = {}
    problems: list[str] = []
    for tier in tiers:
        for entry in tier.models:
            price = _configured(entry.price) if entry.price else _listed(entry, providers[entry.provider])
            if price is not None and price.since is not None and price.since > datetime.now(UTC):
                problems.append(
                    f"tiers.{tier.name}: the first price of model {entry.model!r} holds from {price.since:%Y-%m-%d} on;"
                    " add the one that holds until then, without `from`"
                )
            elif price is None:
                problems.append(
                    f"tiers.{tier.name}: no price is known for model {entry.model!r} at provider {entry.provider!r};"
                    " add price: {input_usd_per_mtok: ..., output_usd_per_mtok: ...} (both 0 for a local model)"
                )
            else:
                prices[entry.provider, entry.model] = price
    if problems:
        raise PriceUnknown(problems)
    return prices


def _configured(price: PriceSettings) -> Price:
    later = sorted(price.changes, key=lambda row: row.since)
    return replace(_row(price), changes=tuple(_row(change) for change in later))


def _row(row: PriceSettings | DatedPriceSettings) -> Price:
    return Price(
        rates=_rates(row.input_usd_per_mtok, row.output_usd_per_mtok, row.cached_usd_per_mtok), since=row.since
    )


def _rates(input_usd_per_mtok: Decimal, output_usd_per_mtok: Decimal, cached_usd_per_mtok: Decimal | None) -> Rates:
    cached = input_usd_per_mtok if cached_usd_per_mtok is None else cached_usd_per_mtok
    return Rates(
        input_usd=input_usd_per_mtok / _MTOK, output_usd=output_usd_per_mtok / _MTOK, cached_usd=cached / _MTOK
    )


def _listed(entry: ModelSettings, provider: ProviderSettings) -> Price | None:
    """The price in the table with its dated changes, or None. The table is imported only when it is needed: it is large.

    Where a price depends on the hour of the day, the one of the present hour is taken.
    """
    from genai_prices import Usage, calc_price
    from genai_prices.types import StartDateConstraint

    usage, now = Usage(input_tokens=1, output_tokens=1), datetime.now(UTC)
    try:
        found = calc_price(usage, entry.model, provider_api_url=provider.base_url)
    except LookupError:
        try:
            found = calc_price(usage, entry.model, provider_id=entry.provider)
        except LookupError:
            return None
    rows = found.model.prices if isinstance(found.model.prices, list) else []
    starts = sorted({row.constraint.start_date for row in rows if isinstance(row.constraint, StartDateConstraint)})
    dated: list[Price] = []
    for start in (None, *starts):
        since = None if start is None else datetime(start.year, start.month, start.day, tzinfo=UTC)
        moment = datetime.combine(start or _LONG_AGO, now.timetz())
        price = _read_listed(found.model.get_prices(moment), since)
        if price is None:
            return None
        if not dated or (price.rates, price.above) != (dated[-1].rates, dated[-1].above):
            dated.append(price)
    return replace(dated[0], changes=tuple(dated[1:]))


def _read_listed(listed_price: object, since: datetime | None) -> Price | None:
    """A row of the table; None where it does not say what tokens cost."""
    fields = vars(listed_price)
    listed = [fields.get(name) for name in ("input_mtok", "output_mtok", "cache_read_mtok")]
    if listed[0] is None or listed[1] is None:
        return None
    starts = sorted({step.start for price in listed for step in getattr(price, "tiers", ())})
    base, *higher = (_rates(*(_at(price, start) for price in listed)) for start in (0, *starts))  # type: ignore[arg-type]
    return Price(rates=base, above=tuple(zip(starts, higher, strict=True)), since=since)


def _at(price: object, start: int) -> Decimal | None:
    """A price of the table (a plain number, or one with steps) for calls of more than `start` prompt tokens."""
    if price is None or isinstance(price, Decimal):
        return price
    value: Decimal = price.base  # type: ignore[attr-defined]
    for step in price.tiers:  # type: ignore[attr-defined]
        if step.start <= start:
            value = step.price
    return value
