"""What do the pairs of an upgrade say? The verdict, and beside it every figure that people decide by, with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from shadow.statistics.difference import mean_difference
from shadow.statistics.estimate import Estimate
from shadow.statistics.pair_sums import pair_sums_of
from shadow.statistics.paired_ratio import ratio_of_means
from shadow.statistics.tango import score_interval
from shadow.statistics.upgrade_evidence import UpgradeEvidence, Verdict
from shadow.upgrades.design import Design
from shadow.upgrades.pairs import Pair, digest

WORST_PAIRS = 20
#: A slice with fewer pairs is named with its count alone.
LEAST_PAIRS = 30
JUDGE_ONLY_NOTE = "judges alone: an early sign that can't make an upgrade ready"


def processes(pairs: Sequence[Pair], design: Design) -> UpgradeEvidence:
    """Both e-processes after these pairs, in order. A missing pair bets nothing; it counts towards the cap."""
    return design.evidence().advance(np.array([pair.z for pair in pairs if pair.z is not None], dtype=float))


def verdict_of(pairs: Sequence[Pair], design: Design) -> Verdict:
    """Harm goes first; nothing is shown without labels; undecided at the cap is inconclusive."""
    found = processes(pairs, design).verdict(alpha=design.alpha, cap_pairs=design.cap_pairs)
    if found == "not_worse" and not any(pair.label is not None for pair in pairs):
        found = "open"
    return "inconclusive" if found == "open" and len(pairs) >= design.cap_pairs else found


def figures(pairs: Sequence[Pair], design: Design, *, judge_quality_low: float | None = None) -> dict[str, Any]:
    """Everything as plain JSON. judge_quality_low: lower bound of sensitivity + specificity - 1 of the judges, if known."""
    evidence = processes(pairs, design)
    missing = Counter(pair.missing for pair in pairs if pair.missing is not None)
    decided = [pair for pair in pairs if pair.judged is not None]
    labelled = [pair for pair in pairs if pair.label is not None]
    better, worse = sum(p.label == 1 for p in labelled), sum(p.label == -1 for p in labelled)
    return {
        "verdict": verdict_of(pairs, design),
        "pairs": {
            "entered": len(pairs),
            "used": len(pairs) - sum(missing.values()),
            "judged": len(decided),
            "labelled": len(labelled),
            "label_drawn": sum(pair.label_drawn for pair in pairs),
            "missing": dict(sorted(missing.items())),
            "coverage": _rounded(len(decided) / len(pairs)) if pairs else None,
            "sha256": digest(pairs),
        },
        "not_worse": {"p_value": _rounded(evidence.not_worse.p_value), "needed": design.alpha},
        "harm": {"p_value": _rounded(evidence.harm.p_value), "needed": design.alpha},
        "difference": mean_gain(pairs),
        "judges_alone": _judges_alone(decided, design, judge_quality_low),
        "labels_alone": {
            "better": better,
            "worse": worse,
            "interval": plain(score_interval(better, worse, len(labelled))),
            "method": "Tango's score interval, a cross-check",
        },
        "slices": {
            "query_type": _slices(pairs, lambda pair: pair.query_type),
            "feature": _slices(pairs, lambda pair: pair.feature),
        },
        "cost_ratio": _ratio([pair.costs_usd for pair in pairs]),
        "latency_ratio": _ratio([pair.seconds for pair in pairs]),
        "markers": _markers(pairs),
        "worst_pairs": worst_pairs(pairs),
    }


def worst_pairs(pairs: Sequence[Pair], *, most: int = WORST_PAIRS) -> list[str]:
    """Ids of the pairs in which the candidate did worst: by labels first, then by the panel; oldest of equals first."""
    lost = [pair for pair in pairs if (pair.label if pair.label is not None else pair.judged or 0.0) < 0]
    ordered = sorted(lost, key=lambda pair: (0 if pair.label is None else pair.label, pair.judged or 0.0))
    return [pair.request_id for pair in ordered[:most]]


def plain(found: object) -> dict[str, Any] | None:
    """An estimate as JSON; None for whatever is not one."""
    if not isinstance(found, Estimate):
        return None
    high = None if found.high is None else _rounded(found.high)
    return {
        "value": _rounded(found.value),
        "low": _rounded(found.low),
        "high": high,
        "n": found.n,
        "level": found.level,
    }


def mean_gain(pairs: Sequence[Pair], *, corrected: bool = True) -> dict[str, Any] | None:
    """The mean of accept(candidate) - accept(pinned): verdicts put right by labels, or as they are."""
    if not pairs:
        return None
    labelled = np.array([pair.label is not None for pair in pairs])
    sums = pair_sums_of(
        inclusion=np.ones(len(pairs)),
        judged=np.array([pair.judged is not None for pair in pairs]),
        judged_loss=np.array([pair.judged or 0.0 for pair in pairs]),
        labelled=labelled,
        label_loss=np.array([float(pair.label or 0) for pair in pairs]),
        label_inclusion=np.array([pair.eta or 1.0 for pair in pairs]),
    )
    found = plain(mean_difference([(float(len(pairs)), sums)], corrected=corrected))
    return None if found is None else {**found, "labelled": int(labelled.sum())}


def _judges_alone(decided: Sequence[Pair], design: Design, quality: float | None) -> dict[str, Any]:
    """The judge-only variant: the margin shrinks to what judges this good would still show of it."""
    said = np.array([pair.judged for pair in decided], dtype=float)
    known: dict[str, Any] = {"note": JUDGE_ONLY_NOTE, "pairs": len(decided)}
    known["difference"] = mean_gain(decided, corrected=False)
    if quality is None or quality <= 0.0 or not said.size:
        return {**known, "margin": None, "verdict": None}
    margin = design.margin * quality
    found = UpgradeEvidence.start(margin=margin).advance(said)
    verdict = found.verdict(alpha=design.alpha, cap_pairs=design.cap_pairs)
    return {**known, "margin": _rounded(margin), "judge_quality_low": _rounded(quality), "verdict": verdict}


def _slices(pairs: Sequence[Pair], key: Callable[[Pair], str]) -> list[dict[str, Any]]:
    """Most pairs first. A slice tests nothing: intervals are of each alone."""
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(key(pair), []).append(pair)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        {"name": name, "pairs": len(own), "difference": mean_gain(own) if len(own) >= LEAST_PAIRS else None}
        for name, own in ordered
    ]


def _ratio(sides: Sequence[tuple[float, float] | None]) -> dict[str, Any] | None:
    known = np.array([side for side in sides if side is not None], dtype=float).reshape(-1, 2)
    return plain(ratio_of_means(known[:, 0], known[:, 1]))


def _markers(pairs: Sequence[Pair]) -> Mapping[str, Any]:
    """How many of the answers had anything marked in them."""
    known = [pair.markers for pair in pairs if pair.markers is not None]
    candidate, pinned = sum(c > 0 for c, _ in known), sum(p > 0 for _, p in known)
    only_candidate = sum(c > 0 and p == 0 for c, p in known)
    only_pinned = sum(p > 0 and c == 0 for c, p in known)
    return {
        "pairs": len(known),
        "candidate": candidate,
        "pinned": pinned,
        "difference": plain(score_interval(only_candidate, only_pinned, len(known))),
    }


def _rounded(value: float) -> float:
    """Nine digits: enough for anybody, and the same on every machine."""
    return float(f"{value:.9g}")
