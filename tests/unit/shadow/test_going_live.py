"""Is a query type called ready only where labels show it, with the thresholds that they show it for?"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from router.contracts import Policy
from router.pricing import Price, Rates
from shadow.going_live.certificates import GoingLive, TypeReadiness, going_live
from shadow.going_live.text import going_live_json, going_live_lines
from shadow.store.tuning_rows import KnownAnswer, TuningRow
from shadow.tuning.tuner import Wanted

TIERS = ("fast", "top")
PRICES = {
    "fast": Price(rates=Rates(input_usd=Decimal(1), output_usd=Decimal(1), cached_usd=Decimal(1))),
    "top": Price(rates=Rates(input_usd=Decimal(20), output_usd=Decimal(20), cached_usd=Decimal(20))),
}
CURRENT = Policy(version=3, thresholds={"fast": 0.5}, band=0.0)
WANTED = Wanted(epsilon=0.03, delta=0.1, min_pairs=300)
START = datetime(2026, 3, 1, tzinfo=UTC)


def answer(tier: str, good: bool | None, label: bool | None) -> KnownAnswer:
    return KnownAnswer(
        model=f"{tier}-1",
        ok=True,
        probability=None if good is None else 0.99 if good else 0.02,
        label=None if label is None else int(label),
        cost_usd=0.001 if tier == "fast" else 0.02,
        prompt_tokens=10,
        completion_tokens=10,
    )


def observed(
    kind: str,
    pairs: int,
    *,
    labelled: float,
    bad_below: float,
    seed: int = 1,
    alike: float | None = None,
    bad_share: float = 0.0,
) -> list[TuningRow]:
    """Samples of mode observe: the top tier served, the cheap one was mirrored where it was decided for. It fails where the
    score is below `bad_below`, and in `bad_share` of the others. alike: the score of all."""
    rng = np.random.default_rng([seed, len(kind)])
    rows = []
    for at in range(pairs):
        score = float(rng.random()) if alike is None else alike
        good = score >= bad_below and rng.random() >= bad_share
        decided = score >= 0.5
        is_labelled = decided and rng.random() < labelled
        answers = {"top": answer("top", None, True if is_labelled else None)}
        if decided:
            answers["fast"] = answer("fast", good, good if is_labelled else None)
        rows.append(
            TuningRow(
                request_id=str(uuid.UUID(int=int(rng.integers(0, 2**62)))),
                started_at=START + timedelta(seconds=at),
                query_type=kind,
                served_tier="top",
                session=None,
                routing={
                    "scores": {"fast": score},
                    "fixed": None,
                    "raised": False,
                    "lowered": False,
                    "fits": None,
                    "row": 0.05,
                    "pairs": {"fast": 0.05 if decided else 0.0},
                    "labelled": {"fast": labelled} if decided else {},
                },
                asked=frozenset(answers),
                reviewed=frozenset({"fast"} if is_labelled else ()),
                answers=answers,
            )
        )
    return rows


def ready(*parts: list[TuningRow], current: Policy = CURRENT) -> tuple[GoingLive, dict[str, TypeReadiness]]:
    rows = sorted((row for part in parts for row in part), key=lambda row: (row.started_at, row.request_id))
    found = going_live(rows, TIERS, PRICES, current, WANTED, seed="tests")
    return found, {one.query_type: one for one in found.types}


def test_each_query_type_gets_the_answer_that_its_own_evidence_gives() -> None:
    found, types = ready(
        observed("qa", 3_000, labelled=0.5, bad_below=0.0),  # as good as the top tier, and labels show it
        observed(
            "code", 4_000, labelled=1.0, bad_below=0.7
        ),  # fails between the threshold and .7: higher thresholds would do
        observed("summary", 3_000, labelled=0.02, bad_below=0.0),  # as good, but hardly labelled
        observed("rewrite", 60, labelled=0.5, bad_below=0.0),  # too little of it
    )
    assert (types["qa"].status, types["qa"].way) == ("certified", "in_force")
    assert types["qa"].thresholds == {"fast": 0.5}
    assert types["qa"].risk is not None
    assert types["qa"].risk.corrected
    assert (types["code"].status, types["code"].way) == ("certified", "other")
    assert 0.65 < types["code"].thresholds["fast"] < 1.0
    assert (types["summary"].status, types["summary"].way) == ("uncertified", "in_force")
    assert types["summary"].more_labels > 100
    rewrite = types["rewrite"]
    assert (rewrite.status, rewrite.why, rewrite.way) == ("keep", "too_few_pairs", None)
    assert rewrite.more_pairs is not None
    assert rewrite.more_pairs >= 270
    assert found.delta_each == WANTED.delta / 3
    assert sum(one.share for one in found.types) == 1.0
    lines = going_live_lines(found)
    assert lines[0].startswith(
        "Going live is certified for 2 of 4 query types (code, qa): a loss below 3.0% against top"
    )
    assert any("rewrite: not yet: too few pairs to show anything; about" in line for line in lines)
    assert going_live_json(found)["query_types"][0]["says"]


def test_what_loses_too_much_or_was_never_seen_is_said_as_such() -> None:
    _, types = ready(observed("qa", 800, labelled=0.5, bad_below=1.0, alike=0.9))
    assert (types["qa"].status, types["qa"].why) == ("keep", "loses_too_much")
    assert types["qa"].more_pairs is None
    lower = Policy(version=4, thresholds={"fast": 0.2}, band=0.0)
    _, types = ready(observed("qa", 800, labelled=0.0, bad_below=1.0), current=lower)
    assert types["qa"].why == "needs_down_mirroring"
    own = Policy(version=5, thresholds={"fast": 0.5}, band=0.0, by_query_type={"qa": {"fast": 2.0}})
    found, types = ready(observed("qa", 50, labelled=0.0, bad_below=1.0), current=own)
    assert (types["qa"].status, types["qa"].why) == ("certified", "all_on_top")
    assert "sends everything" in going_live_lines(found)[1] or "send everything" in going_live_lines(found)[1]
    assert going_live_lines(ready([])[0]) == ["Going live: nothing was mirrored yet, so nothing is certified."]


def test_at_the_boundary_a_query_type_is_called_certified_no_more_often_than_promised() -> None:
    runs, wrong = 60, 0
    for seed in range(runs):
        rows = observed("qa", 400, labelled=1.0, bad_below=0.0, seed=seed, alike=0.9, bad_share=WANTED.epsilon)
        _, types = ready(rows)
        wrong += types["qa"].status == "certified"
    assert wrong / runs <= WANTED.delta + 2.33 * (WANTED.delta * (1 - WANTED.delta) / runs) ** 0.5
