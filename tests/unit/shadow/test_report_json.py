"""A report is the same as JSON: every figure with its interval, null with a reason where there is none, never NaN."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest
from rich.console import Console

from shadow.reports.as_json import report_json
from shadow.reports.noise_text import sentence
from shadow.reports.observed import observed_report
from shadow.reports.reasons import WORDS, in_words
from shadow.reports.text import render
from shadow.reports.window import report_on
from shadow.statistics.estimate import Reason, Undefined
from shadow.statistics.noise_floor import NoiseSums
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.sums import SUM_FIELDS, Sums
from shadow.store.noise import Noise
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


def test_the_noise_floor_is_told_per_tier_and_query_type_with_a_reason_where_there_is_none() -> None:
    n = 200.0
    moments = {
        "control": 210,
        "pairs": n,
        "failed": 4,
        "abstained": 6,
        "w": n,
        "ww": n,
        "wd": 20,
        "wwd": 20,
        "wwdd": 20,
    }
    sums = NoiseSums(**moments, wr=8, wwr=8, wwrr=8, wwdr=6)
    noise = [
        Noise(tier="fast", query_type="qa", sums=sums),
        Noise(tier="fast", query_type="code", sums=NoiseSums(control=3, failed=3)),
    ]
    top = {"requests": 90, "sampled": n, "judged": n, "w": n, "wp": 0.9 * n, "ww": n, "wwp": 0.9 * n, "wwpp": 0.9 * n}
    made = report_on(
        [a_slice("top", **top)], [], [], noise, tiers=("fast", "top"), since=SINCE, until=UNTIL, reviewer=None
    )
    found = json.loads(json.dumps(report_json(made), allow_nan=False))["noise_floor"]
    assert [(row["tier"], row["query_type"]) for row in found] == [
        ("fast", None), ("fast", "code"), ("fast", "qa"), ("top", None), ("top", "qa"),
    ]  # fmt: skip
    whole, code, _, itself, _ = found
    assert (whole["floor"]["value"], whole["divergence"]["value"]) == (0.04, 0.1)
    assert whole["excess"]["value"] == pytest.approx(0.06)
    assert whole["excess"]["low"] > 0
    assert (whole["control_samples"], whole["coverage"]["value"]) == (213, pytest.approx(200 / 213))
    assert code["undefined"]["excess"]["reason"] == "control_failed"
    assert itself["floor"]["value"] == pytest.approx(0.1)
    assert itself["undefined"]["excess"]["reason"] == "is_reference"

    console = Console(width=160, record=True, file=io.StringIO())
    console.print(render(made))
    text = console.export_text()
    assert "+6.0 (" in text
    assert "more than noise" in text
    assert "every control sample failed" in text
    told = sentence(made.noise[0])
    assert told.startswith("top differs from itself on 4.0%")
    assert "6.0 points more [" in told
    assert "not how often it is right" in sentence(made.noise[3])
    assert sentence(made.noise[1]).endswith("every control sample failed: an answer is missing from each.")
    assert [row.found.undefined["floor"].reason for row in report_on(
        [], [], [], tiers=("fast", "top"), since=SINCE, until=UNTIL, reviewer=None
    ).noise] == ["no_control_samples", "no_requests"]  # fmt: skip


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(get_args(Reason))
    assert in_words(Undefined(reason="tier_without_labels", detail="top")).endswith("(top)")
    assert in_words(Undefined(reason="no_requests", detail="x")) == "no requests in this window"


def observed_slice(tier: str, served: str, query_type: str, **sums: float) -> Slice:
    return replace(a_slice(tier, **sums), served_tier=served, query_type=query_type)


def test_mode_observe_has_a_section_of_its_own_that_certifies_nothing() -> None:
    n = 100.0
    judged = {"requests": 600, "cost_usd": 6.0, "sampled": n, "mirrored": n, "judged": n, "w": n, "wp": 90.0}
    judged |= {"ww": n, "wwp": 90.0, "wwpp": 85.0, "priced": n, "d": n, "d_ref": 0.1, "d_served": 1.0}
    judged |= {"dd": n, "dd_ref_ref": 0.0001, "dd_ref_served": 0.001, "dd_served_served": 0.01}
    slices = [
        observed_slice("fast", "top", "qa", **judged),
        observed_slice("fast", "top", "chat", requests=100, cost_usd=1.0),
        observed_slice("top", "top", "qa", requests=300, cost_usd=9.0),
    ]
    section = observed_report(slices, tiers=("fast", "top"), reviewer=None)
    made = report_on([], [], [], tiers=("fast", "top"), since=SINCE, until=UNTIL, reviewer=None)
    shown = replace(made, mode="observe", observed=section)
    found = json.loads(json.dumps(report_json(shown), allow_nan=False))
    assert found["mode"] == "observe"
    assert found["observed"]["certified"] is False
    assert found["observed"]["served"] == {"top": 1000}
    fast, top = found["observed"]["tiers"]
    assert (fast["decided_tier"], fast["requests"], fast["share"]) == ("fast", 700, 0.7)
    assert fast["cost_usd"]["value"] == pytest.approx(0.7)
    assert fast["saved_usd"]["value"] == pytest.approx(6.3)
    assert fast["accuracy"]["raw"]["corrected"] is False
    assert top["accuracy"]["undefined"]["raw"]["reason"] == "not_identified"
    assert (top["cost_usd"]["low"], top["cost_usd"]["high"]) == (9.0, 9.0)
    kinds = {(part["decided_tier"], part["query_type"]): part for part in found["observed"]["parts"]}
    assert kinds["fast", "chat"]["cost_undefined"]["reason"] == "too_few_priced_pairs"
    assert kinds["fast", "qa"]["cost_usd"]["value"] == pytest.approx(0.6)

    console = Console(width=160, record=True, file=io.StringIO())
    console.print(render(shown))
    text = console.export_text()
    assert "what would have been served (top 1,000 answered instead)" in text
    assert "estimates of what mode route would do, made before going live" in " ".join(text.split())
    assert "$0.7000 (0.7000-0.7000)" in text


def test_without_requests_in_mode_observe_there_is_no_such_section() -> None:
    assert observed_report([], tiers=("fast", "top"), reviewer=None) is None
    assert report([], [], [])["observed"] is None
