"""How well does a judge agree with people on each part of the data, beside answer length alone?

Probabilities are cross-fitted: a judge's scores are calibrated on the questions of one half and measured on the other, and the
other way round, so that no pair is measured with a calibration that saw its question. Base rates are those of all pairs: the rate
of the other half is low where the own one is high by chance, which alone would push AUROC below one half. For the same reason a
single judge's AUROC is of one curve for all pairs; being monotone, the curve hardly matters to it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from judges.calibration import Calibration
from judges.contracts import Judge, Judgment, PanelJudgment
from judges.errors import NotEnoughLabels
from judges.fitting import fit_calibration
from judges.panel import Panel
from shadow.judge_cards.data import Part
from shadow.judge_cards.subjects import ComparisonKey, Remembered, key_of
from shadow.judging.pair_file import Pair, side_of
from shadow.statistics.judge_quality import Figure, JudgeQuality, measure
from shadow.statistics.wilson import wilson_interval

SEED = 0
_DIGITS = 4
_CHUNK = 256
_OTHER: Mapping[str, Literal["a", "b"]] = {"a": "b", "b": "a"}
Said = dict[ComparisonKey, Judgment]


async def ask_all(judge: Judge, pairs: Sequence[Pair], progress: Callable[[int], None]) -> Said:
    """What the judge says of each pair. progress: called with the number of pairs done."""
    said: Said = {}
    for start in range(0, len(pairs), _CHUNK):
        comparisons = [pair.comparison for pair in pairs[start : start + _CHUNK]]
        for comparison, judgment in zip(comparisons, await judge.judge(comparisons), strict=True):
            said[key_of(comparison)] = dataclasses.replace(judgment, latency_seconds=0.0)
        progress(min(start + _CHUNK, len(pairs)))
    return said


async def judge_quality(name: str, said: Said, parts: Sequence[Part], *, resamples: int) -> list[dict[str, Any]]:
    """Figures of one judge on each part."""
    fitted = await _fits(Panel([Remembered(name, said)]), parts)
    rows = []
    for part in parts:
        judgments = [said[key_of(pair.comparison)] for pair in part.pairs]
        accepted = [None if j.verdict == "abstain" else j.verdict == "accept" for j in judgments]
        heard = list(zip(part.pairs, judgments, strict=True))
        ranking = [_probability(fitted["all"], judgment, pair) for pair, judgment in heard]
        crossed = [_probability(fitted[_OTHER[_side(pair)]], judgment, pair) for pair, judgment in heard]
        row = _row(part, ranking, accepted, resamples)
        row["calibration_error"] = _row(part, crossed, accepted, resamples)["calibration_error"]
        rows.append(row)
    return rows


async def panel_quality(judges: Mapping[str, Said], parts: Sequence[Part], *, resamples: int) -> list[dict[str, Any]]:
    """Figures of the panel of these judges (by name@version, cheapest first) on each part."""
    panel = Panel([Remembered(name, said) for name, said in judges.items()])
    fits = await _fits(panel, parts)
    rows = []
    for part in parts:
        concluded: dict[int, PanelJudgment] = {}
        for side in ("a", "b"):
            own = [pair for pair in part.pairs if _side(pair) == side]
            fitted = panel.with_calibration(fits[_OTHER[side]])
            heard = await fitted.judge([pair.comparison for pair in own])
            concluded |= {pair.line: one for pair, one in zip(own, heard, strict=True)}
        found = [concluded[pair.line] for pair in part.pairs]
        accepted = [None if one.verdict == "abstain" else one.verdict == "accept" for one in found]
        rows.append(_row(part, [one.estimate for one in found], accepted, resamples))
    return rows


def equal_verdicts(first: Said, second: Said, pairs: Sequence[Pair]) -> dict[str, Any]:
    """Share of pairs on which two engines come to the same verdict, with Wilson's interval."""
    keys = [key_of(pair.comparison) for pair in pairs]
    same = sum(first[key].verdict == second[key].verdict for key in keys)
    low, high = wilson_interval(same / len(keys), len(keys))
    return {"pairs": len(keys), "equal": _rounded(same / len(keys)), "interval": [_rounded(low), _rounded(high)]}


async def _fits(panel: Panel, parts: Sequence[Part]) -> dict[str, Calibration]:
    """Calibrations fitted on "all" questions and on each half; the panel's own where there are too few labels."""
    fitted: dict[str, Calibration] = {}
    for side in ("all", "a", "b"):
        own = [pair for part in parts for pair in part.pairs if side in ("all", _side(pair))]
        try:
            fitted[side] = await fit_calibration(
                panel,
                [pair.comparison for pair in own],
                [pair.label or 0 for pair in own],
                groups=[pair.cluster for pair in own],
                provenance={},
            )
        except NotEnoughLabels:
            fitted[side] = panel.calibration
        fitted[side] = dataclasses.replace(fitted[side], base_rates=fitted["all"].base_rates)
    return fitted


def _side(pair: Pair) -> Literal["a", "b"]:
    return side_of(pair.cluster, seed=SEED)


def _probability(calibration: Calibration, judgment: Judgment, pair: Pair) -> float:
    found = calibration.one(judgment, pair.comparison.query_type)
    return calibration.base_rate(pair.comparison.query_type) if found is None else found


def _row(part: Part, scores: Sequence[float], accepted: Sequence[bool | None], resamples: int) -> dict[str, Any]:
    lengths = [len(pair.comparison.answer) for pair in part.pairs]

    def measured(sign: int) -> JudgeQuality:
        return measure(
            scores,
            accepted,
            [pair.label or 0 for pair in part.pairs],
            [sign * length for length in lengths],
            [pair.cluster for pair in part.pairs],
            rng=np.random.default_rng(SEED),
            resamples=resamples,
        )

    found = measured(1)
    longer = found.length_auroc.value is not None and found.length_auroc.value < 0.5
    if longer:
        found = measured(-1)
    low, high = wilson_interval(found.decided / found.n, found.n)
    return {
        "part": part.name,
        "pairs": found.n,
        "questions": found.clusters,
        "decided": found.decided,
        "coverage": {
            "value": _rounded(found.decided / found.n),
            "low": _rounded(low),
            "high": _rounded(high),
        },
        "auroc": _figure(found.auroc),
        "length_auroc": _figure(found.length_auroc),
        "length_direction": "longer is better" if longer else "shorter is better",
        "gain_over_length": _figure(found.gain_over_length),
        "kappa": _figure(found.kappa),
        "accuracy": _figure(found.accuracy),
        "calibration_error": _figure(found.calibration_error),
    }


def _figure(figure: Figure) -> dict[str, float | None]:
    return {name: None if (x := getattr(figure, name)) is None else _rounded(x) for name in ("value", "low", "high")}


def _rounded(value: float) -> float:
    return round(float(value), _DIGITS)
