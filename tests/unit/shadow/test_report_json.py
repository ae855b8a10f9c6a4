"""A report is the same as JSON: every figure with its interval, null with a reason where there is none, never NaN."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

from shadow.reasons import WORDS, in_words
from shadow.report import report_on
from shadow.report_json import report_json
from shadow.statistics.estimate import Reason, Undefined
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.sums import SUM_FIELDS, Sums
from shadow.store.rollups import FunnelRow, Route, Slice

SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC)


def report(slices: list[Slice], routes: list[Route], funnel: list[FunnelRow], reviewer: Reviewer | None = None) -> Any:
    made = report_on(slices, routes, funnel, tiers=("fast", "top"), since=SINCE, until=UNTIL, reviewer=reviewer)
    return json.loads(json.dumps(report_json(made), allow_nan=False))


def a_slice(tier: str, **sums: float) -> Slice:
    values = dict.fromkeys(SUM_FIELDS, 0.0) | sums
    return Slice(tier=tier, query_type="qa", band="b85", model=None, feature=None, sums=Sums.from_row(values))


def test_an_empty_window_has_no_figures_and_says_why() -> None:
    found = report([], [], [])
    assert found["overall"]["requests"] == 0
    assert found["overall"]["accuracy"]["corrected"] is None
    assert found["overall"]["accuracy"]["undefined"]["corrected"] == {
        "reason": "no_requests",
        "detail": "",
        "words": "no requests in this window",
    }
    assert found["savings"] is None
    assert found["savings_undefined"]["reason"] == "no_requests"
    assert found["window_days"] == 7.0
    assert (found["since"], found["until"]) == ("2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z")


def test_judged_traffic_has_a_raw_figure_that_is_marked_uncorrected() -> None:
    n = 100.0
    sums = {"requests": 1000, "cost_usd": 2.0, "sampled": n, "mirrored": n, "judged": n, "w": n, "wp": 90.0}
    sums |= {"ww": n, "wwp": 90.0, "wwpp": 85.0}
    found = report([a_slice("fast", **sums)], [], [])
    fast = found["tiers"][0]
    assert fast["accuracy"]["raw"]["value"] == 0.9
    assert fast["accuracy"]["raw"]["corrected"] is False
    assert fast["accuracy"]["raw"]["low"] < 0.9 < fast["accuracy"]["raw"]["high"]
    assert fast["accuracy"]["corrected"] is None
    assert fast["accuracy"]["undefined"]["corrected"]["reason"] == "no_labels"
    assert fast["accuracy"]["coverage"]["value"] == 1.0
    assert fast["cost_per_success_usd"] is None


def test_escalations_are_told_by_reason() -> None:
    rows = [("fast", "", 90), ("top", "rule", 7), ("top", "low_confidence", 3)]
    routes = [
        Route(predicted_tier="fast", served_tier=s, reason=r, status="answered", requests=n, cost_usd=Decimal(1))
        for s, r, n in rows
    ]
    fast = report([], routes, [])["tiers"][0]
    assert fast["escalation_rate"]["value"] == 0.1
    assert {reason: figure["value"] for reason, figure in fast["escalations"].items()} == {
        "rule": 0.07,
        "low_confidence": 0.03,
    }


def test_the_funnel_and_the_ledger_are_whole() -> None:
    rows = [("judged", 8, 3), ("failed", 1, 0), ("sampled", 2, 0)]
    funnel = [
        FunnelRow(
            served_tier="fast",
            arm="up",
            state=state,
            samples=n,
            labelled=labelled,
            mirror_usd=Decimal("0.25"),
            judge_usd=Decimal("0.05"),
        )
        for state, n, labelled in rows
    ]
    found = report([], [], funnel, Reviewer(false_accepts=1, gold_bad=30, false_rejects=0, gold_good=30))
    assert found["funnel"] == {
        "sampled": 11,
        "waiting_for_mirror": 2,
        "waiting_for_judge": 0,
        "judged": 8,
        "abstained": 0,
        "failed": 1,
        "shed": 0,
        "labelled": 3,
    }
    assert found["shadow_spend"] == {"mirror_usd": 0.75, "judge_usd": 0.15, "total_usd": 0.9}
    assert found["reviewer"]["gold_bad"] == 30


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(get_args(Reason))
    assert in_words(Undefined(reason="tier_without_labels", detail="top")).endswith("(top)")
    assert in_words(Undefined(reason="no_requests", detail="x")) == "no requests in this window"
