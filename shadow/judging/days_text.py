"""How is it told which judges were asked, which calls cheap judges spared, and what stands behind the verdicts?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from shadow.store.judge_days import JudgeCount


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeUse:
    """Comparisons a judge was asked about and spared. saved: share of those that came its way which cheaper judges decided."""

    judge: str
    asked: int
    spared: int

    @property
    def saved(self) -> float | None:
        return self.spared / (self.asked + self.spared) if self.asked + self.spared else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelUse:
    """Comparisons of one query type: judged, decided, and decided by thresholds that its own labels certify."""

    query_type: str
    judged: int
    decided: int
    certified: int


def judge_use(counts: Sequence[JudgeCount]) -> list[JudgeUse]:
    """By judge, over all query types; the panel itself is none of them."""
    found: dict[str, JudgeUse] = {}
    for one in counts:
        if not _is_panel(one):
            before = found.get(one.judge, JudgeUse(judge=one.judge, asked=0, spared=0))
            found[one.judge] = JudgeUse(
                judge=one.judge, asked=before.asked + one.asked, spared=before.spared + one.spared
            )
    return sorted(found.values(), key=lambda use: use.judge)


def panel_use(counts: Sequence[JudgeCount]) -> list[PanelUse]:
    """By query type, over all versions of the panel."""
    found: dict[str, PanelUse] = {}
    for one in counts:
        if _is_panel(one):
            before = found.get(one.query_type, PanelUse(query_type=one.query_type, judged=0, decided=0, certified=0))
            found[one.query_type] = PanelUse(
                query_type=one.query_type,
                judged=before.judged + one.asked,
                decided=before.decided + one.decided,
                certified=before.certified + one.certified,
            )
    return sorted(found.values(), key=lambda use: use.query_type)


def judge_days_json(counts: Sequence[JudgeCount]) -> dict[str, Any]:
    """Both as JSON; all are exact counts of whole UTC days."""
    return {
        "judges": [asdict(use) | {"saved": use.saved} for use in judge_use(counts)],
        "query_types": [asdict(use) for use in panel_use(counts)],
    }


def judge_days_lines(counts: Sequence[JudgeCount]) -> list[str]:
    """The same in sentences; none where nothing was judged."""
    types = panel_use(counts)
    judged, decided, certified = (sum(getattr(t, name) for t in types) for name in ("judged", "decided", "certified"))
    if not judged:
        return []
    lines = [
        f"Judged (whole UTC days): {judged:,} comparisons, {decided / judged:.1%} decided,"
        f" {certified:,} by thresholds that labels of their own query type certify."
    ]
    spared = [use for use in judge_use(counts) if use.spared]
    if spared:
        told = "; ".join(f"{use.judge} {use.spared:,} (asked {use.asked:,})" for use in spared)
        lines.append(f"Calls spared, as cheaper judges had decided: {told}.")
    borrowed = [t.query_type for t in types if t.decided and not t.certified]
    if borrowed:
        lines.append(
            f"On borrowed calibration: {', '.join(borrowed)}. Label some and run `shadow judge --from-store --fit`."
        )
    return lines


def _is_panel(one: JudgeCount) -> bool:
    return one.judge.startswith("panel@")
