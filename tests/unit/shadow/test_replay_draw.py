"""Are the windows of a replay drawn as production draws its samples, and labelled as promised?"""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shadow.replay.draw import accuracy_inclusion, draw_samples, pair_inclusion, rates_at, row_inclusion
from shadow.replay.labels import allocate, draw_labels
from shadow.sampling.draws import Rates, draw, uniform

RATES = Rates(up=0.5, down=0.2, control_top=0.3, intermediate_share=0.4, all_tiers_share=0.3, control_share=0.4)


def hashed(salt, at):
    return np.array([uniform("seed", str(one), salt) for one in at.tolist()])


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_whole_window_is_drawn_as_the_product_draws_one_request_after_the_other(count):
    tiers = ("one", "two", "three", "four")[:count]
    served = np.arange(400) % count
    drawn = draw_samples(RATES, served, tiers, hashed)
    found = {at: place for place, at in enumerate(drawn.at.tolist())}
    pi, arms = accuracy_inclusion(RATES, tiers), set()
    for at in range(served.size):
        name = tiers[served[at]]
        expected = draw(RATES, seed="seed", request_id=str(at), served_tier=name, tiers=tiers)
        assert (expected is None) == (at not in found)
        if expected is None:
            continue
        place = found[at]
        first = {target.tier for target in expected.targets if target.repeat == 0}
        assert {tier for tier, had in zip(tiers, drawn.obtained[place], strict=True) if had} == first
        assert drawn.again[place] == any(target.repeat for target in expected.targets)
        assert drawn.counts[place] == expected.counts_for_accuracy
        assert drawn.upwards[place] == (expected.arm == "up")
        assert not expected.counts_for_accuracy or pi[served[at]] == expected.pi
        arms.add(expected.arm)
    assert arms == {"up", "down", "control"}


def test_inclusion_probabilities_are_the_shares_in_which_pairs_are_drawn():
    tiers, n = ("one", "two", "three"), 90_000
    served = np.arange(n) % 3
    rng = np.random.default_rng(3)
    drawn = draw_samples(RATES, served, tiers, lambda _salt, at: rng.random(at.size))
    had = drawn.obtained.copy()
    had[np.arange(drawn.at.size), drawn.served] = True
    for tier in range(3):
        own = drawn.served == tier
        row = own & (drawn.upwards | (drawn.served == 2))
        assert row.sum() * 3 / n == pytest.approx(row_inclusion(RATES, tiers)[tier], abs=0.012)
        for cheaper in range(2):
            pairs = (own & had[:, cheaper] & had[:, 2]).sum() * 3 / n
            assert pairs == pytest.approx(pair_inclusion(RATES, tiers)[tier, cheaper], abs=0.012)


def test_a_sample_rate_scales_all_arms_and_keeps_them_possible():
    assert rates_at(0.05) == Rates()
    everything = rates_at(1.0)
    assert (everything.up, everything.down, everything.control_top) == (1.0, 0.2, 0.2)


@example(labels=87, tiers=[(48, 5), (202, 26), (426, 62)])
@given(
    st.integers(0, 500),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 120)), min_size=2, max_size=4),
)
def test_labels_are_spread_like_requests_and_never_exceed_the_samples(labels, tiers):
    requests = np.array([asked for asked, _ in tiers])
    samples = np.array([min(asked, sampled) for asked, sampled in tiers])
    given_labels = allocate(labels, requests, samples)
    assert (given_labels <= samples).all()
    assert given_labels.sum() == min(labels, samples.sum())
    full = given_labels >= samples
    per_request = given_labels[~full] / np.maximum(requests[~full], 1)
    # Tiers with room have equal shares, but for whole numbers.
    assert per_request.size == 0 or np.ptp(per_request) <= (2 / np.maximum(requests[~full], 1)).max()


def test_labelled_samples_are_as_many_as_given_with_their_chance():
    tier = np.array([0] * 40 + [1] * 10)
    labelled, chance = draw_labels(tier, np.array([10, 10]), np.random.default_rng(0))
    assert [labelled[tier == at].sum() for at in (0, 1)] == [10, 10]
    assert chance[0] == 0.25
    assert chance[-1] == 1.0
