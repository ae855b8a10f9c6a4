"""How good is a judge on the gold set today, and has it become worse? Figures with intervals, and one look per stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

from shadow.statistics.gold_drift import Look, look
from shadow.statistics.judge_agreement import share
from shadow.statistics.wilson import wilson_interval
from shadow.store.gold import GoldItem, GoldVerdict, Runs

_EACH = sqrt(0.95)
#: What is compared day by day: verdicts on acceptable answers, on the others, and whether both orders agreed.
Aspect = Literal["sensitivity", "specificity", "order_consistency"]
ASPECTS: tuple[Aspect, ...] = ("sensitivity", "specificity", "order_consistency")
WORDS: Mapping[str, str] = {
    "sensitivity": "accepts fewer acceptable gold answers",
    "specificity": "rejects fewer unacceptable gold answers",
    "order_consistency": "depends more on the order of the two answers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One aspect of one judge, looked at on one day."""

    judge: str
    aspect: Aspect
    look: Look

    @property
    def key(self) -> str:
        return f"{self.judge}/{self.aspect}"


def figures_of(verdicts: Sequence[GoldVerdict], items: Mapping[str, GoldItem]) -> dict[str, Any]:
    """items, decided, figures of one judge: agreement, kappa, sensitivity, specificity on its verdicts; coverage; order.

    sensitivity: share of acceptable answers that are accepted; specificity: of the others that are rejected. An abstention is
    in none of these, only in the coverage.
    """
    decided = [v for v in verdicts if v.verdict != "abstain"]
    truth = ["accept" if items[v.item_id].label else "reject" for v in decided]
    said = [v.verdict for v in decided]
    right = [a == b for a, b in zip(said, truth, strict=True)]
    ids = [v.item_id for v in decided]
    ordered = [(v.item_id, v.orders_agree) for v in verdicts if v.orders_agree is not None]

    def among(kind: str) -> dict[str, Any]:
        rows = [(hit, name) for hit, name, true in zip(right, ids, truth, strict=True) if true == kind]
        return _share([hit for hit, _ in rows], [name for _, name in rows])

    return {
        "items": len(verdicts),
        "decided": len(decided),
        "figures": {
            "agreement": _share(right, ids),
            "kappa": _kappa(right, truth),
            "sensitivity": among("accept"),
            "specificity": among("reject"),
            "coverage": _share([v.verdict != "abstain" for v in verdicts], [v.item_id for v in verdicts]),
            "order_consistency": _share([bool(agrees) for _, agrees in ordered], [name for name, _ in ordered]),
        },
    }


def streams_of(runs: Mapping[str, Runs], items: Mapping[str, GoldItem], *, alpha: float) -> list[Stream]:
    """A look at every aspect of every judge, alpha shared among all. On a judge's first day there is nothing to look at."""
    compared = [
        (judge, aspect, run.number, first, today)
        for judge, run in sorted(runs.items())
        for aspect in ASPECTS
        if run.number > 0
        and (first := _rights(run.first, items, aspect))
        and (today := _rights(run.day, items, aspect))
    ]
    return [
        Stream(
            judge=judge,
            aspect=aspect,
            look=look(first, today, number=number, streams=len(compared), alpha=alpha),
        )
        for judge, aspect, number, first, today in compared
    ]


def _rights(
    run: Mapping[str, tuple[str, bool | None]], items: Mapping[str, GoldItem], aspect: Aspect
) -> dict[str, bool]:
    """item -> right. An abstention is not right: a judge that no longer knows has become worse."""
    if aspect == "order_consistency":
        return {item: agrees for item, (_, agrees) in run.items() if agrees is not None}
    wanted = aspect == "sensitivity"
    verdict = "accept" if wanted else "reject"
    return {item: said == verdict for item, (said, _) in run.items() if bool(items[item].label) == wanted}


def _kappa(right: Sequence[bool], truth: Sequence[str]) -> dict[str, Any]:
    """Cohen's kappa with the frozen truth. It rises with sensitivity and specificity, so the ends of its interval are at theirs.

    Each of these two at the square root of .95: both hold together in 95 % of cases, so the interval is wide rather than
    narrow, and no point where there was no mistake. None where one kind of truth is missing.
    """
    good = [hit for hit, true in zip(right, truth, strict=True) if true == "accept"]
    bad = [hit for hit, true in zip(right, truth, strict=True) if true == "reject"]
    if not good or not bad:
        return {"value": None, "low": None, "high": None, "n": len(right)}
    prevalence = len(good) / len(right)
    shares = [sum(hits) / len(hits) for hits in (good, bad)]
    ends = [wilson_interval(share, len(hits), level=_EACH) for share, hits in zip(shares, (good, bad), strict=True)]
    value, low, high = (
        _kappa_at(prevalence, *pair) for pair in (shares, [low for low, _ in ends], [high for _, high in ends])
    )
    return {"value": value, "low": low, "high": high, "n": len(right)}


def _kappa_at(prevalence: float, sensitivity: float, specificity: float) -> float:
    accepted = prevalence * sensitivity + (1 - prevalence) * (1 - specificity)
    agreed = prevalence * sensitivity + (1 - prevalence) * specificity
    chance = prevalence * accepted + (1 - prevalence) * (1 - accepted)
    return (agreed - chance) / (1 - chance)


def _share(hits: Sequence[bool], names: Sequence[str]) -> dict[str, Any]:
    found = share(hits, names)
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}
