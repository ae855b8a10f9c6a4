"""What does a call cost, and who is asked in which order?"""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from router.errors import PriceUnknown, RequestRejected
from router.headers import plain_decimal
from router.pool import Pin, build_pool
from router.pricing import Price, Rates, resolve_prices
from router.settings import ModelSettings, PriceSettings, ProviderSettings, TierSettings
from router.testing.configured import router_settings


def tier(model, provider="x", **more):
    return [TierSettings(name="t", models=(ModelSettings(provider=provider, model=model, **more),))]


def price_at(base_url, model, provider="x"):
    providers = {provider: ProviderSettings(base_url=base_url)}
    return resolve_prices(providers, tier(model, provider))[provider, model]


def test_cached_tokens_have_their_own_rate_and_are_part_of_the_prompt():
    price = Price(rates=Rates(input_usd=Decimal(4), output_usd=Decimal(10), cached_usd=Decimal(1)))
    assert price.cost_usd(10, 2, 6) == 4 * 4 + 6 * 1 + 2 * 10
    assert price.cost_usd(10, 0, 99) == 10  # never more cached than asked


def test_configured_prices_win_and_are_exact():
    price = PriceSettings(input_usd_per_mtok=Decimal("0.59"), output_usd_per_mtok=Decimal("0.79"))
    providers = {"x": ProviderSettings(base_url="http://127.0.0.1:1")}
    found = resolve_prices(providers, tier("gpt-4o", price=price))["x", "gpt-4o"]
    assert found.cost_usd(1_000_000, 1_000_000) == Decimal("1.38")
    assert found.cost_usd(1_000_000, 0, 1_000_000) == Decimal("0.59")


def test_an_explicit_price_of_nothing_is_a_price():
    free = PriceSettings(input_usd_per_mtok=Decimal(0), output_usd_per_mtok=Decimal(0))
    providers = {"x": ProviderSettings(base_url="http://127.0.0.1:1")}
    assert resolve_prices(providers, tier("own", price=free))["x", "own"].cost_usd(10**6, 10**6) == 0


def test_listed_prices_are_found_by_address_or_by_the_providers_name():
    by_address = price_at("https://api.openai.com/v1", "gpt-4o")
    assert by_address.cost_usd(1_000_000, 0) > by_address.cost_usd(1_000_000, 0, 1_000_000) > 0
    assert price_at("https://gateway.example.com/v1", "llama-3.3-70b-versatile", "groq").cost_usd(1, 0) > 0


def test_listed_prices_with_a_step_cost_more_beyond_it():
    price = price_at("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-pro")
    [(start, _)] = price.above
    assert price.cost_usd(start + 1, 0) > Decimal("1.9") * price.cost_usd(start, 0)


def test_a_known_model_at_an_unknown_place_has_no_price():
    with pytest.raises(PriceUnknown, match=r"tiers\.t: .*'gpt-4o' at provider 'x'"):
        price_at("http://127.0.0.1:1/v1", "gpt-4o")


@pytest.mark.parametrize(
    ("value", "shown"), [("0", "0"), ("0E-10", "0"), ("1.500", "1.5"), ("1E-7", "0.0000001"), ("100", "100")]
)
def test_money_in_headers_is_a_plain_decimal(value, shown):
    assert plain_decimal(Decimal(value)) == shown


@pytest.fixture
def pool():
    return build_pool(router_settings("http://127.0.0.1:1", tiers={"fast": ["a", "b"], "mid": ["c"], "top": ["d"]}), {})


def models(plan):
    return [target.model for target in plan]


def test_the_plan_is_the_tiers_chain_and_then_the_tiers_above(pool):
    assert models(pool.plan("fast", None, 100)) == ["a", "b", "c", "d"]
    assert models(pool.plan("mid", None, 100)) == ["c", "d"]


def test_a_pin_leaves_nobody_else(pool):
    assert models(pool.plan("top", Pin(tier="fast"), 100)) == ["a", "b"]
    assert models(pool.plan("top", Pin(tier="fast", model="b"), 100)) == ["b"]


def test_inside_a_tier_small_windows_come_last():
    settings = router_settings("http://127.0.0.1:1", tiers={"fast": ["a", "b"], "top": ["c"]})
    small = settings.tiers[0].models[0].model_copy(update={"context_tokens": 1000})
    fast = settings.tiers[0].model_copy(update={"models": (small, settings.tiers[0].models[1])})
    pool = build_pool(settings.model_copy(update={"tiers": (fast, settings.tiers[1])}), {})
    assert models(pool.plan("fast", None, 5000)) == ["b", "a", "c"]
    assert models(pool.plan("fast", None, 500)) == ["a", "b", "c"]
    assert pool.windows() == {"fast": 128_000, "top": 128_000}


def test_a_model_stands_for_one_thing(pool):
    assert pool.pin_for("auto") is None
    assert pool.pin_for("mid") == Pin(tier="mid")
    assert pool.pin_for("b") == Pin(tier="fast", model="b")
    with pytest.raises(RequestRejected, match="Known: auto, fast, mid, top, a, b, c, d"):
        pool.pin_for("e")


def test_a_key_never_shows_in_a_repr():
    settings = router_settings("http://127.0.0.1:1", provider={"api_key_env": "K"})
    pool = build_pool(settings, {"K": "sk-secret"})
    assert pool.chains["fast"][0].api_key == "sk-secret"
    assert "sk-secret" not in repr(pool)


DATED = [
    {"from": "2026-11-01", "input_usd_per_mtok": 2, "output_usd_per_mtok": 4},
    {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2},
    {"from": "2027-01-01T06:00:00+01:00", "input_usd_per_mtok": 8, "output_usd_per_mtok": 8, "cached_usd_per_mtok": 1},
]


def dated(rows):
    entry = ModelSettings.model_validate({"provider": "x", "model": "own", "price": rows})
    providers = {"x": ProviderSettings(base_url="https://gateway.example.com/v1")}
    return resolve_prices(providers, [TierSettings(name="only", models=(entry,))])["x", "own"]


@pytest.mark.parametrize(
    ("at", "usd"),
    [
        ("2020-01-01T00:00:00+00:00", 3),
        ("2026-10-31T23:59:59+00:00", 3),
        ("2026-11-01T00:00:00+00:00", 6),
        ("2027-01-01T04:59:59+00:00", 6),
        ("2027-01-01T05:00:00+00:00", 16),
    ],
)
def test_a_call_costs_what_its_model_cost_at_that_time(at, usd):
    assert dated(DATED).cost_usd(10**6, 10**6, at=datetime.fromisoformat(at)) == usd


def test_a_change_takes_effect_at_its_date_without_a_restart():
    later = datetime.now(UTC) + timedelta(seconds=0.3)
    price = dated([DATED[1], {**DATED[0], "from": later.isoformat()}])
    assert price.cost_usd(10**6, 0) == 1
    while datetime.now(UTC) < later:
        time.sleep(0.05)
    assert price.cost_usd(10**6, 0) == 2


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "needs rows"),
        ([DATED[1], DATED[1]], "only one price may be without `from`"),
        ([DATED[0], DATED[0]], "the same `from`"),
        ([{**DATED[0], "from": "tomorrow"}, DATED[1]], "must be a date like 2026-11-01"),
        ([3, 4], "needs rows"),
    ],
)
def test_dated_prices_that_contradict_each_other_are_refused(rows, words):
    with pytest.raises(ValueError, match=words):
        dated(rows)


def test_a_model_whose_first_price_lies_ahead_has_none_now():
    with pytest.raises(PriceUnknown, match=r"holds from 2999-01-01 on; add the one that holds until then"):
        dated([{**DATED[0], "from": "2999-01-01"}])


def test_the_rows_of_the_price_table_are_dated_as_well():
    price = price_at("https://api.openai.com/v1", "o3")
    before, after = (datetime(2025, 6, day, tzinfo=UTC) for day in (9, 10))
    assert price.cost_usd(1000, 0, at=before) == 5 * price.cost_usd(1000, 0, at=after)
    assert [change.since for change in price.changes] == [after]
