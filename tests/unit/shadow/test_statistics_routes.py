"""Do the routes of many requests at once agree with the router's gate, request by request?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contracts import Features, Hints, Policy
from router.gate import ANSWER_TOKENS, Gate
from router.rules import Rules
from router.settings import RuleSettings, WhenSettings
from shadow.statistics.routes import Requests, all_top, routes

TIERS = ("small", "middle", "large", "top")
WINDOWS = {"small": 2_000, "middle": 1_000, "large": 8_000, "top": 4_000}
LEVELS = st.sampled_from([0.0, 0.3, 0.5, 0.55, 0.6, 0.9, 1.0])


def as_the_gate_sees_it(draw: st.DataObject) -> dict[str, object]:
    return {
        "scores": [draw.draw(LEVELS) for _ in range(3)],
        "impact": draw.draw(st.sampled_from(["low", "normal", "high"])),
        "tolerance": draw.draw(st.sampled_from(["low", "normal", "high"])),
        "discontent": draw.draw(st.booleans()),
        "pinned": draw.draw(st.sampled_from([None, None, *TIERS])),
        "tokens": draw.draw(st.sampled_from([10, 1_500, 3_900, 20_000])),
    }


@given(data=st.data())
def test_routes_are_what_the_gate_would_choose(data: st.DataObject) -> None:
    rows = [as_the_gate_sees_it(data) for _ in range(4)]
    thresholds, band = [data.draw(LEVELS) for _ in range(3)], data.draw(st.sampled_from([0.0, 0.05, 0.3]))
    gate = Gate.of(TIERS, WINDOWS, Rules.of([]))
    policy = Policy(version=1, thresholds=dict(zip(TIERS, thresholds, strict=False)), band=band)
    expected, fitting = [], np.zeros((4, 4), dtype=np.int64)
    for at, row in enumerate(rows):
        features = Features(text="", words=0, conversation_tokens=row["tokens"], turns=1)
        decision = gate.decide(
            features=features,
            hints=Hints(impact=row["impact"], error_tolerance=row["tolerance"]),
            query_type="unknown",
            scores=dict(zip(TIERS, [*row["scores"], 1.0], strict=True)),
            policy=policy,
            pinned=row["pinned"],
            discontent=row["discontent"],
        )
        expected.append(TIERS.index(decision.chosen))
        needed = row["tokens"] + ANSWER_TOKENS
        fitting[at] = range(4) if row["pinned"] else [gate._fitting(tier, needed) for tier in range(4)]
    requests = Requests(
        scores=np.array([row["scores"] for row in rows]),
        kind=np.zeros(4, dtype=np.int64),
        fixed=np.array([-1 if row["pinned"] is None else TIERS.index(row["pinned"]) for row in rows]),
        raised=np.array([row["impact"] == "high" or row["discontent"] for row in rows]),
        lowered=np.array([row["tolerance"] == "high" and row["impact"] != "high" for row in rows]),
        fitting=fitting,
        band=band,
    )
    assert routes(requests, np.array([thresholds])).tolist() == expected


def test_a_rule_is_a_fixed_tier() -> None:
    rule = RuleSettings(name="legal", when=WhenSettings(feature=["legal"]), tier="middle")
    gate = Gate.of(TIERS, dict.fromkeys(TIERS, 10**6), Rules.of([rule]))
    scores = dict.fromkeys(TIERS, 1.0)
    policy = Policy(version=1, thresholds=dict.fromkeys(TIERS[:-1], 0.5), band=0.0)
    features = Features(text="", words=0, conversation_tokens=0, turns=1)
    hints = Hints(feature="legal")
    decision = gate.decide(features=features, hints=hints, query_type="unknown", scores=scores, policy=policy)
    requests = Requests(scores=np.ones((1, 3)), kind=np.zeros(1, dtype=np.int64), fixed=np.array([1]))
    assert routes(requests, np.full((1, 3), 0.5)).tolist() == [TIERS.index(decision.chosen)]


def test_thresholds_differ_by_query_type_and_none_is_reached_beyond() -> None:
    requests = Requests(scores=np.array([[0.9], [0.9], [1.0]]), kind=np.array([0, 1, 1]), kinds=2)
    assert routes(requests, np.array([[0.8], [0.95]])).tolist() == [0, 1, 0]
    assert routes(requests, all_top(2, 2)).tolist() == [1, 1, 1]
    assert routes(requests.take(np.array([2])), np.array([[0.8], [0.95]])).tolist() == [0]
    with pytest.raises(ValueError, match="kind must"):
        Requests(scores=np.ones((1, 1)), kind=np.array([1]))
    with pytest.raises(ValueError, match="raised has 2 rows"):
        Requests(scores=np.ones((1, 1)), kind=np.array([0]), raised=np.zeros(2, dtype=bool))
    with pytest.raises(ValueError, match="scores have shape"):
        Requests(scores=np.ones(3), kind=np.zeros(3, dtype=np.int64))
