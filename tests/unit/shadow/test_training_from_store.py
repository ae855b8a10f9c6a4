"""Do labels come before verdicts, do weights stay bounded, and is too little said to be too little?"""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.store.training_rows import JudgedAnswer, JudgedRequest
from shadow.training.from_store import LARGEST_WEIGHT_RATIO, lesson, missing, reference_share

TIERS = ("fast", "mid", "top")


def answer(tier, *, served=False, pi=0.05, probability=None, label=None):
    return JudgedAnswer(tier=tier, served=served, pi=pi, probability=probability, label=label, cost_usd=0.001)


def request(*answers, text="What is it?", at=0):
    body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]}) if text else ""
    return JudgedRequest(request_id=f"r{at}", reference_tier="top", request_body=body, answers=answers)


def pair(at=0, **of_fast):
    return request(answer("fast", served=True, **{"probability": 0.5, **of_fast}), answer("top"), text=f"q {at}", at=at)


def test_a_label_comes_before_the_verdict_and_the_reference_is_assumed():
    found = lesson([pair(probability=0.9, label=0.0), pair(at=1, probability=0.7)], TIERS)
    assert found.observed.successes[:, 0].tolist() == [0.0, 0.7]
    assert found.observed.successes[:, 2].tolist() == [1.0, 1.0]
    assert (found.labels, found.verdicts, found.assumed) == (1, 1, 2)
    assert found.observed.weights[:, 1].tolist() == [0.0, 0.0]


def test_the_reference_is_as_good_as_its_labels_say_once_there_are_enough():
    labelled = [request(answer("fast", label=1.0), answer("top", label=float(at % 4 > 0)), at=at) for at in range(12)]
    assert reference_share(labelled) == 0.75
    assert reference_share(labelled[:9]) == 1.0
    found = lesson([*labelled, pair(at=99)], TIERS)
    assert found.observed.successes[-1, 2] == 0.75
    assert found.assumed == 1


def test_what_nobody_judged_or_nobody_kept_is_left_out_and_counted():
    unjudged = request(answer("fast", served=True), answer("top"), at=1)
    silent = request(answer("fast", served=True, probability=0.4), answer("top"), text="", at=2)
    broken = JudgedRequest(request_id="r3", reference_tier="top", request_body="{", answers=silent.answers)
    renamed = request(answer("retired", probability=0.4), answer("top"), at=4)
    found = lesson([unjudged, silent, broken, renamed, pair(at=5)], TIERS)
    assert len(found.requests) == 1
    assert dict(found.left_out) == {
        "fewer than two tiers have a label or a verdict": 2,
        "no text was kept": 1,
        "the text that was kept is no request": 1,
    }


def test_a_pair_weighs_what_its_mirror_was_unlikely():
    seen = request(answer("mid", served=True, pi=0.5, probability=0.5), answer("top", pi=0.04, probability=0.9))
    assert lesson([seen], TIERS).observed.weights.tolist() == [[0.0, 25.0, 25.0]]


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=30))
def test_no_weight_passes_its_bound_and_none_vanishes(chances):
    rows = [
        request(answer("fast", served=True, probability=0.5), answer("top", pi=pi), at=at)
        for at, pi in enumerate(chances)
    ]
    found = lesson(rows, TIERS)
    weights = found.observed.weights[:, 0]
    plain = 1 / np.array(chances)
    assert (weights <= LARGEST_WEIGHT_RATIO * np.median(plain) * (1 + 1e-9)).all()
    assert (weights > 0).all()
    assert found.clipped == 2 * int((plain > LARGEST_WEIGHT_RATIO * np.median(plain)).sum())


def test_the_hash_changes_with_what_training_sees():
    one, two = lesson([pair()], TIERS), lesson([pair(probability=0.6)], TIERS)
    assert one.data_hash() == lesson([pair()], TIERS).data_hash()
    assert one.data_hash() != two.data_hash()


@pytest.mark.parametrize(
    ("count", "tiers", "said"),
    [
        (0, ("fast", "top"), "0 usable mirrored requests in 14 days, 200 are needed: 200 more"),
        (50, ("fast", "top"), "50 usable mirrored requests in 14 days, 200 are needed: 150 more, about 42 days at"),
        (200, TIERS, "0 outcomes of tier mid are known, 50 are needed: 50 more (sampling.intermediate_share"),
        (200, ("fast", "top"), None),
    ],
)
def test_too_little_is_one_line_that_says_how_much_more(count, tiers, said):
    line = missing(lesson([pair(at=at) for at in range(count)], tiers), days=14)
    assert line == said if said is None else line.startswith(said)
