"""Draws are deterministic, arms are disjoint, and the recorded probability is the frequency that is seen."""

from __future__ import annotations

from collections import Counter
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.sampling.draws import Rates, draw, draw_observed, pair_probabilities, sample_probability, uniform

TIERS = ("fast", "mid", "top")
RATES = Rates(
    up=0.3,
    down=0.1,
    intermediate_share=0.2,
    all_tiers_share=0.25,
    control_share=0.5,
    control_top=0.2,
    label=0.05,
    label_top=0.05,
)
shares = st.floats(0.0, 0.5)


@given(request_id=st.text(min_size=1), seed=st.text(), salt=st.text())
def test_a_uniform_number_depends_on_its_three_inputs_only(request_id: str, seed: str, salt: str) -> None:
    number = uniform(seed, request_id, salt)
    assert 0.0 <= number < 1.0
    assert number == uniform(seed, request_id, salt)


@given(request_id=st.uuids().map(str), position=st.integers(0, 2), up=shares, down=shares, between=shares, every=shares)
def test_a_draw_is_total_and_its_probabilities_are_probabilities(
    request_id: str, position: int, up: float, down: float, between: float, every: float
) -> None:
    rates = Rates(up=up, down=down, intermediate_share=between, all_tiers_share=every)
    drawn = draw(rates, seed="s", request_id=request_id, served_tier=TIERS[position], tiers=TIERS)
    assert drawn == draw(rates, seed="s", request_id=request_id, served_tier=TIERS[position], tiers=TIERS)
    if drawn is not None:
        assert 0 < drawn.pi <= 1
        assert 0 < drawn.eta <= 1
        assert drawn.targets
        assert all(0 < target.pi <= 1 for target in drawn.targets)
        assert (TIERS[position], 0) not in {(t.tier, t.repeat) for t in drawn.targets}, (
            "the served answer is there already"
        )


@pytest.mark.parametrize("served", TIERS)
def test_recorded_probabilities_are_the_frequencies_of_what_they_describe(served: str) -> None:
    n = 40_000
    drawn = [draw(RATES, seed="s", request_id=f"r{i}", served_tier=served, tiers=TIERS) for i in range(n)]
    seen: Counter[tuple[str, str, int]] = Counter()
    promised: dict[tuple[str, str, int], float] = {}
    for one in drawn:
        for target in one.targets if one else ():
            key = (one.arm, target.tier, target.repeat)  # type: ignore[union-attr]
            seen[key] += 1
            assert promised.setdefault(key, target.pi) == pytest.approx(target.pi)
    for key, pi in promised.items():
        assert seen[key] / n == pytest.approx(pi, abs=4.5 * sqrt(pi / n)), key

    counted = [one for one in drawn if one and one.counts_for_accuracy]
    pi = counted[0].pi
    assert {one.pi for one in counted} == {pi}
    assert len(counted) / n == pytest.approx(pi, abs=4.5 * sqrt(pi / n))
    labelled = sum(one.label_drawn for one in counted)
    assert labelled / n == pytest.approx(RATES.label, abs=4.5 * sqrt(RATES.label / n)), "labels are self-weighting"


def test_arms_go_where_their_names_say() -> None:
    position = {tier: i for i, tier in enumerate(TIERS)}
    arms: Counter[tuple[str, str]] = Counter()
    for served in TIERS:
        for i in range(3_000):
            drawn = draw(RATES, seed="s", request_id=f"r{i}", served_tier=served, tiers=TIERS)
            if drawn is None:
                continue
            arms[served, drawn.arm] += 1
            if drawn.arm == "down":
                assert [position[t.tier] < position[served] for t in drawn.targets] == [True]
                assert not drawn.counts_for_accuracy
            elif drawn.arm == "control":
                assert [(t.tier, t.repeat) for t in drawn.targets] == [("top", 1)]
            else:
                assert drawn.counts_for_accuracy == any(t.tier == "top" for t in drawn.targets)
    assert set(arms) == {("fast", "up"), ("mid", "up"), ("mid", "down"), ("top", "control"), ("top", "down")}


def test_two_tiers_have_nothing_in_between() -> None:
    drawn = [draw(RATES, seed="s", request_id=f"r{i}", served_tier="a", tiers=("a", "b")) for i in range(500)]
    assert {one.pi for one in drawn if one} == {RATES.up}


def test_an_unknown_tier_is_an_error() -> None:
    with pytest.raises(ValueError, match="gone"):
        draw(RATES, seed="s", request_id="r", served_tier="gone", tiers=TIERS)


@given(
    request_id=st.uuids().map(str),
    served=st.integers(0, 2),
    decided=st.integers(0, 2),
    up=shares,
    top=shares,
    every=shares,
    between=shares,
)
def test_what_was_decided_is_drawn_without_touching_the_draw_for_what_was_served(
    request_id: str, served: int, decided: int, up: float, top: float, every: float, between: float
) -> None:
    rates = Rates(up=up, control_top=top, down=0.2, all_tiers_share=every, intermediate_share=between)
    tier = TIERS[decided]
    in_route = draw(rates, seed="s", request_id=request_id, served_tier=TIERS[served], tiers=TIERS)
    drawn = draw_observed(
        rates, seed="s", request_id=request_id, served_tier=TIERS[served], decided_tier=tier, tiers=TIERS
    )
    counted_in_route = in_route is not None and in_route.counts_for_accuracy
    assert (drawn is not None and drawn.counts_for_accuracy) == counted_in_route
    if counted_in_route and in_route and drawn:
        assert (drawn.pi, drawn.eta, drawn.label_drawn) == (in_route.pi, in_route.eta, in_route.label_drawn)
    if served == decided:
        assert (drawn is not None and drawn.observed is not None) == counted_in_route
        return
    sampled = uniform("s", request_id, "arm") < up
    assert (drawn is not None and drawn.observed is not None) == sampled
    if drawn and drawn.observed:
        assert (drawn.observed.tier, drawn.observed.pi) == (tier, up)
        assert [target.pi for target in drawn.targets if (target.tier, target.repeat) == (tier, 0)] == [up]
        assert len({(target.tier, target.repeat) for target in drawn.targets}) == len(drawn.targets)


def test_what_was_decided_is_observed_and_labelled_as_often_as_recorded() -> None:
    n = 40_000
    for decided, share in (("fast", RATES.label), ("mid", RATES.label)):
        drawn = [
            draw_observed(RATES, seed="s", request_id=f"r{i}", served_tier="top", decided_tier=decided, tiers=TIERS)
            for i in range(n)
        ]
        observed = [one.observed for one in drawn if one and one.observed]
        assert len(observed) / n == pytest.approx(RATES.up, abs=4.5 * sqrt(RATES.up / n))
        assert sum(one.label_drawn for one in observed) / n == pytest.approx(share, abs=4.5 * sqrt(share / n))
        controls = [one for one in drawn if one and one.counts_for_accuracy]
        assert len(controls) / n == pytest.approx(RATES.control_top, abs=4.5 * sqrt(RATES.control_top / n))


@pytest.mark.parametrize("decided", [None, *TIERS])
@pytest.mark.parametrize("served", TIERS)
def test_pairs_with_the_top_tier_are_obtained_as_often_as_promised(served: str, decided: str | None) -> None:
    n = 6_000
    pairs: Counter[str] = Counter()
    sampled = 0
    for i in range(n):
        if decided is None:
            one = draw(RATES, seed="p", request_id=f"r{i}", served_tier=served, tiers=TIERS)
        else:
            one = draw_observed(
                RATES, seed="p", request_id=f"r{i}", served_tier=served, decided_tier=decided, tiers=TIERS
            )
        sampled += one is not None
        obtained = {served} | {target.tier for target in one.targets} if one else set()
        pairs.update(obtained - {"top"} if "top" in obtained else ())
    promised = pair_probabilities(RATES, served_tier=served, tiers=TIERS, decided_tier=decided)
    for tier, chance in promised.items():
        assert abs(pairs[tier] / n - chance) < 4 * sqrt(0.25 / n), tier
        assert pairs[tier] == 0 or chance > 0
    assert abs(
        sampled / n - sample_probability(RATES, served_tier=served, tiers=TIERS, decided_tier=decided)
    ) < 4 * sqrt(0.25 / n)
