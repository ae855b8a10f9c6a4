"""Is the money of a uniform share spent where it says most, and does every stratum keep its least?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.sampling.plan import plan
from shadow.settings import Settings
from shadow.store.sampling_rates import StratumHistory


def settings(**sampling: object) -> Settings:
    tiers = [{"name": name, "models": [{"provider": "lab", "model": f"{name}-1"}]} for name in ("fast", "mid", "top")]
    return Settings.model_validate(
        {
            "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
            "tiers": tiers,
            "routing": {"thresholds": {"fast": 0.9, "mid": 0.8}},
            "sampling": {"allocation": "budgeted", **sampling},
        }
    )


def history(tier: str, kind: str, requests: float, accepted: float | None, usd: float = 0.001) -> StratumHistory:
    return StratumHistory(
        stratum=(tier, kind, "high"), requests=requests, judged=requests * 0.04, accepted=accepted, sample_usd=usd
    )


def test_what_varies_is_sampled_more_and_the_money_stays_the_same() -> None:
    known = [history("fast", "sure", 700_000, 0.99), history("fast", "doubtful", 100_000, 0.60)]
    shares = plan(known, settings(), days=28)
    sure, doubtful = shares["fast", "sure", "high"], shares["fast", "doubtful", "high"]
    assert doubtful > 2 * sure
    assert doubtful <= 5 * sure + 1e-9, "weights stay within the ratio that tuning needs"
    assert 700_000 * sure + 100_000 * doubtful == pytest.approx(0.05 * 800_000, rel=1e-3)


def test_the_daily_cap_is_kept_and_the_top_tier_has_no_share() -> None:
    known = [history("fast", "a", 1e6, 0.9, usd=0.01), history("top", "a", 1e6, None)]
    shares = plan(known, settings(budget_usd_per_day=10), days=10)
    assert set(shares) == {("fast", "a", "high")}
    assert shares["fast", "a", "high"] * 1e5 * 0.01 == pytest.approx(8, rel=1e-3)


def test_without_history_or_money_there_is_no_plan() -> None:
    assert plan([], settings(), days=28) == {}
    assert plan([history("fast", "a", 0, None)], settings(), days=28) == {}
    assert plan([history("fast", "a", 100, 0.5)], settings(up=0), days=28) == {}
    assert plan([history("fast", "a", 100, 0.5)], settings(budget_usd_per_day=0), days=28) == {}


@given(
    rows=st.lists(
        st.tuples(st.floats(0, 1e6), st.none() | st.floats(0, 1), st.floats(0, 1)),
        max_size=6,
    ),
    up=st.floats(0, 0.9),
)
def test_every_share_is_a_probability_that_leaves_room_for_the_other_arm(
    rows: list[tuple[float, float | None, float]], up: float
) -> None:
    known = [history("mid", str(at), *row) for at, row in enumerate(rows)]
    shares = plan(known, settings(up=up, down=0.1), days=7)
    assert all(0 < share <= 0.9 + 1e-12 for share in shares.values())
