"""Does somebody stand out who should, and nobody who should not?"""

from __future__ import annotations

import random
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shadow.money.heavy_users import heavy_users
from shadow.store.spend import SpendCell


def cell(name: str, requests: int, cost: float | str, tier: str = "fast", query_type: str = "qa") -> SpendCell:
    return SpendCell(name=name, tier=tier, query_type=query_type, requests=requests, cost_usd=Decimal(str(cost)))


def crowd(count: int = 30, seed: int = 1) -> list[SpendCell]:
    rng = random.Random(seed)
    return [cell(f"u{i}", 100, round(rng.lognormvariate(0, 0.4), 6)) for i in range(count)]


def test_a_user_with_dear_requests_is_named_with_what_drives_it() -> None:
    found = heavy_users([*crowd(), cell("mia", 20, 1), cell("mia", 50, 19, "top", "contracts")])
    assert [user.name for user in found] == ["mia"]
    mia = found[0]
    assert "dear" in mia.why
    assert (mia.driver_tier, mia.driver_query_type, mia.driver_usd) == ("top", "contracts", Decimal(19))
    assert mia.share_of_spend > 0.3 > 0.05 > mia.share_of_requests


def test_a_user_who_only_asks_more_is_an_outlier_but_not_dear() -> None:
    found = heavy_users([*crowd(), cell("bot", 30_000, 300)])
    assert [(user.name, user.why) for user in found] == [("bot", ("outlier",))]


def test_an_even_crowd_has_nobody_in_it() -> None:
    assert heavy_users(crowd()) == ()
    assert heavy_users([cell(f"u{i}", 10, 1) for i in range(50)]) == ()


def test_requests_without_a_user_are_nobody() -> None:
    assert heavy_users([*crowd(), cell("", 10, 500)]) == ()


def test_a_handful_of_dear_requests_is_no_finding() -> None:
    assert heavy_users([*crowd(), cell("mia", 19, 50)]) == ()


def test_nothing_spent_finds_nothing() -> None:
    assert heavy_users([]) == ()
    assert heavy_users([cell("mia", 5, 0)]) == ()


@given(
    st.lists(st.tuples(st.sampled_from("abcdefghijklmno"), st.integers(1, 1000), st.integers(0, 10**6)), max_size=60)
)
def test_shares_are_shares_and_the_dearest_come_first(rows: list[tuple[str, int, int]]) -> None:
    found = heavy_users([cell(name, n, cost) for name, n, cost in rows])
    assert all(0 <= user.share_of_requests <= 1 and 0 <= user.share_of_spend <= 1 for user in found)
    assert [user.cost_usd for user in found] == sorted((user.cost_usd for user in found), reverse=True)
