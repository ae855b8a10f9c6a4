"""Do verdicts agree with people as often as promised, and does the panel ask no more than that takes?"""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.calibration import BORROWED_LABELS, TRUST_ELSEWHERE, Calibration, logit, read_calibration, write_calibration
from judges.contracts import Comparison, Judgment, PanelJudgment
from judges.fitting import MIN_CERTIFY, fit_calibration
from judges.monotone import Curve
from judges.panel import Panel
from judges.pooling import Labelled, fitted
from judges.selective import Certified, certified, fewest_labels, upper_bound
from judges.verdicts import ANY, Certificate, Cut, Target


class ScriptedJudge:
    """Gives the scores it was made with, by the answer's text, and remembers what it was asked."""

    def __init__(self, name: str, scores: dict[str, float]) -> None:
        self.name = name
        self.asked: list[str] = []
        self._scores = scores

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        self.asked += [c.answer for c in comparisons]
        return [
            Judgment(judge=self.name, verdict="accept", score=self._scores[c.answer], rationale="") for c in comparisons
        ]


def pairs(*answers: str, query_type: str | None = None) -> list[Comparison]:
    return [Comparison(prompt="Q", answer=a, reference="the reference", query_type=query_type) for a in answers]


def run(panel: Panel, comparisons: Sequence[Comparison]) -> list[PanelJudgment]:
    return asyncio.run(panel.judge(comparisons))


def cut(threshold: float | None) -> Cut:
    found = Certified(threshold=threshold, bound=0.92, n=400, agreed=380, n_effective=400.0)
    return Cut(found=found, labels=500, accepted=(300, 290), rejected=(100, 90))


IDENTITY = Curve(scores=(0.0, 1.0), probabilities=(0.001, 0.999), n=500)


def calibration(cuts: dict[str, Cut], *, labels: dict[str, int] | None = None, stage: str = "lexical@9") -> Calibration:
    return Calibration(
        base_rates={ANY: 0.8},
        curves={name: {ANY: IDENTITY} for name in ("lexical@9", "rubric@9")},
        labels=labels or {ANY: 500, "qa": 500},
        certificate=Certificate(target=Target(), stages={stage: cuts}),
    )


@pytest.mark.parametrize(
    ("wrong", "n", "delta", "bound"),
    [(0, 22, 0.1, 1 - 0.1 ** (1 / 22)), (5, 100, 0.05, 0.10225), (10, 100, 0.025, 0.17622), (3, 3, 0.1, 1.0)],
)
def test_the_bound_is_that_of_clopper_and_pearson(wrong: int, n: int, delta: float, bound: float) -> None:
    assert upper_bound(wrong, n, delta) == pytest.approx(bound, abs=5e-6)
    assert fewest_labels(0.9, 0.1) == 22


@given(
    st.lists(st.tuples(st.floats(0.5, 1, width=16), st.booleans()), min_size=1, max_size=150),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_what_is_certified_is_as_strict_as_it_says_whatever_the_order(
    rows: list[tuple[float, bool]], size: int, shuffler: random.Random
) -> None:
    groups = [str(i // size) for i in range(len(rows))]
    found = certified([c for c, _ in rows], [a for _, a in rows], groups, target=0.8, delta=0.2, floor=0.6)
    if found.threshold is not None:
        taken = [agrees for confidence, agrees in rows if confidence >= found.threshold]
        assert (len(taken), sum(taken)) == (found.n, found.agreed)
        assert found.threshold >= 0.6
        assert 0.8 <= found.bound <= sum(taken) / len(taken)
        assert found.n_effective <= len(taken)
    order = list(range(len(rows)))
    shuffler.shuffle(order)
    again = certified(
        [rows[i][0] for i in order],
        [rows[i][1] for i in order],
        [groups[i] for i in order],
        target=0.8,
        delta=0.2,
        floor=0.6,
    )
    assert again == found


@pytest.mark.parametrize(("groups", "size", "alike"), [(300, 1, 0.0), (100, 4, 0.5), (60, 8, 0.9)])
@pytest.mark.parametrize("rising", [False, True])
def test_the_true_agreement_is_below_the_target_in_no_more_than_delta_of_fits(
    groups: int, size: int, alike: float, *, rising: bool
) -> None:
    """At the boundary (every verdict agrees just too rarely) and where agreement rises with confidence; rows of a group alike."""
    rng, runs, target, delta, broken = np.random.default_rng(20260101), 150, 0.9, 0.1, 0

    def agreement(confidence: np.ndarray) -> np.ndarray:
        return 0.7 + 0.55 * (confidence - 0.5) if rising else np.full_like(confidence, target - 1e-6)

    for _ in range(runs):
        confidence = rng.uniform(0.5, 1, groups * size)
        shared = np.repeat(rng.random(groups), size)
        agrees = np.where(rng.random(groups * size) < alike, shared, rng.random(groups * size)) < agreement(confidence)
        found = certified(
            confidence, agrees, [str(i // size) for i in range(len(agrees))], target=target, delta=delta, floor=0.5
        )
        if found.threshold is not None:
            broken += float(agreement(np.linspace(found.threshold, 1, 500)).mean()) < target
    assert broken / runs <= delta + 2.33 * math.sqrt(delta * (1 - delta) / runs)


def test_rows_of_one_group_are_worth_one_label() -> None:
    agrees = [True] * 400
    apart = certified([0.9] * 400, agrees, [str(i) for i in range(400)], target=0.9, delta=0.1, floor=0.6)
    together = certified([0.9] * 400, agrees, [str(i % 50) for i in range(400)], target=0.9, delta=0.1, floor=0.6)
    handful = certified([0.9] * 400, agrees, [str(i % 10) for i in range(400)], target=0.9, delta=0.1, floor=0.6)
    assert (apart.threshold, apart.n_effective) == (0.9, 400)
    assert (together.threshold, together.n_effective) == (0.9, 50)
    assert together.bound < apart.bound
    assert handful.threshold is None


def test_a_certified_stage_decides_and_spares_the_dearer_judges() -> None:
    cheap = ScriptedJudge("lexical@9", {"good": 0.85, "bad": 0.1, "unclear": 0.7})
    dear = ScriptedJudge("rubric@9", {"unclear": 0.999})
    panel = Panel([cheap, dear], calibration=calibration({ANY: cut(0.8), "qa": cut(0.8)}))
    good, bad, unclear = run(panel, pairs("good", "bad", "unclear", query_type="qa"))
    assert [j.verdict for j in (good, bad)] == ["accept", "reject"]
    assert good.certified
    assert good.spared == bad.spared == ("rubric@9",)
    assert dear.asked == ["unclear"]
    assert (unclear.verdict, unclear.certified, unclear.spared) == ("accept", False, ())


def test_where_nothing_can_be_certified_the_panel_abstains_on_everything() -> None:
    panel = Panel([ScriptedJudge("lexical@9", {"a": 0.99})], calibration=calibration({ANY: cut(0.8), "qa": cut(None)}))
    said = run(panel, pairs("a", query_type="qa"))[0]
    assert (said.verdict, said.certified) == ("abstain", False)
    assert said.estimate > 0.9


def test_a_query_type_without_labels_borrows_with_caution() -> None:
    made = calibration({ANY: cut(0.7), "qa": cut(0.7)})
    judge = ScriptedJudge("lexical@9", {"likely": 0.85, "sure": 0.995})
    own = run(Panel([judge], calibration=made), pairs("likely", "sure", query_type="qa"))
    borrowed = run(Panel([judge], calibration=made), pairs("likely", "sure", query_type="poems"))
    assert [j.verdict for j in own] == ["accept", "accept"]
    assert [j.verdict for j in borrowed] == ["abstain", "accept"]
    assert [j.certified for j in borrowed] == [False, False]
    assert logit(borrowed[0].estimate) == pytest.approx(TRUST_ELSEWHERE * logit(0.8493))
    few = calibration({ANY: cut(0.7)}, labels={ANY: 500, "poems": BORROWED_LABELS})
    assert TRUST_ELSEWHERE < few.trust("poems") < few.trust("qa") + few.trust("poems") <= 2


def test_grounds_in_a_context_alone_decide_nothing_on_a_query_type_without_labels() -> None:
    made = calibration({ANY: cut(0.7), "qa": cut(0.7)})
    judge = ScriptedJudge("lexical@9", {"sure": 0.995})
    known, foreign = (
        [replace(p, reference=None, context="said before") for p in pairs("sure", query_type=kind)]
        for kind in ("qa", "poems")
    )
    assert [run(Panel([judge], calibration=made), p)[0].verdict for p in (known, foreign)] == ["accept", "abstain"]


def test_thresholds_hold_only_for_the_judges_they_were_certified_behind() -> None:
    judge = ScriptedJudge("lexical@9", {"a": 0.65})
    elsewhere = calibration({ANY: cut(0.6), "qa": cut(0.6)}, stage="structured@2+lexical@9")
    assert run(Panel([judge], calibration=elsewhere), pairs("a", query_type="qa"))[0].verdict == "abstain"


def test_a_certificate_that_promises_less_than_is_asked_for_does_not_count() -> None:
    judge, made = ScriptedJudge("lexical@9", {"a": 0.7}), calibration({ANY: cut(0.6), "qa": cut(0.6)})
    strict = Panel([judge], calibration=made, target=Target(agreement=0.95))
    assert run(strict, pairs("a", query_type="qa"))[0].verdict == "abstain"
    assert run(Panel([judge], calibration=made, target=Target()), pairs("a", query_type="qa"))[0].certified


def test_a_fit_certifies_what_holds_and_nothing_where_judges_know_nothing(tmp_path: Path) -> None:
    rng = random.Random(5)
    labels = [int(rng.random() < 0.6) for _ in range(600)]
    answers = [f"answer {i}" for i in range(600)]
    types = ["known" if i % 3 else "guessed" for i in range(600)]
    scores = {
        a: (0.2 + 0.6 * y + 0.2 * rng.random()) if t == "known" and rng.random() < 0.97 else rng.random()
        for a, y, t in zip(answers, labels, types, strict=True)
    }
    panel = Panel([ScriptedJudge("lexical@9", scores)])
    comparisons = [
        Comparison(prompt="Q", answer=a, reference="r", query_type=t) for a, t in zip(answers, types, strict=True)
    ]
    made = asyncio.run(fit_calibration(panel, comparisons, labels, provenance={"datasets": {}}))
    write_calibration(made, tmp_path)
    assert read_calibration(tmp_path) == made
    assert made.certificate is not None
    cuts = made.certificate.stages["lexical@9"]
    assert cuts["guessed"].found.threshold is None
    known = cuts["known"]
    assert known.found.bound >= 0.9
    assert known.accepted[0] + known.rejected[0] == known.found.n > MIN_CERTIFY
    said = run(panel.with_calibration(made), comparisons)
    assert {j.verdict for j, t in zip(said, types, strict=True) if t == "guessed"} == {"abstain"}
    assert sum(j.certified for j in said) == sum(j.verdict != "abstain" for j in said) > 300


def test_a_query_type_with_few_labels_is_drawn_to_all_of_them() -> None:
    rng = random.Random(11)
    said, labels, types = [], [], []
    for i in range(1_000):
        kind = "odd" if i % 15 == 0 else "usual"
        score = rng.random()
        said.append([Judgment(judge="lexical@9", verdict="accept", score=score, rationale="")])
        labels.append(int(rng.random() < (0.2 if kind == "odd" else score)))
        types.append(kind)
    made = fitted(Labelled(said=said, types=types, labels=labels), range(1_000))
    heard = [Judgment(judge="lexical@9", verdict="accept", score=0.95, rationale="")]
    odd, usual, foreign = (made.combined(heard, kind) or 0 for kind in ("odd", "usual", "foreign"))
    assert 0.3 < odd < foreign < usual
    assert usual > 0.9
    assert made.labels == {ANY: 1_000, "odd": 67, "usual": 933}


def test_a_calibration_of_the_older_format_is_read_without_a_certificate(tmp_path: Path) -> None:
    old = calibration({ANY: cut(0.8)}).to_json() | {"format": 1}
    del old["labels"], old["certificate"]
    (tmp_path / "calibration.json").write_text(json.dumps(old))
    found = read_calibration(tmp_path)
    assert found.certificate is None
    assert found.labels == {ANY: 500}
