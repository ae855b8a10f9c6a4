"""What does the page about judges say of each judge by itself? Its measured card: agreement, coverage, time, blind spots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judges.card import judge_card
from judges.described import DESCRIBED

#: Length of the answers whose time is shown.
_WORDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    """One card. auroc, coverage: the least and the greatest of its parts, None where nothing was measured.

    milliseconds: median of a pair of short texts. asked: the versions that were asked in the window and are not this one.
    """

    judge: str
    question: str
    auroc: tuple[float, float] | None
    coverage: tuple[float, float] | None
    milliseconds: float | None
    blind_spots: Sequence[Mapping[str, Any]]
    asked: Sequence[str]


def card_rows(names: Sequence[str], asked: Iterable[str]) -> list[CardRow]:
    """The cards of the judges of these names and of the panel, as far as there are any. asked: judges as name@version."""
    others = sorted(set(asked))
    rows = []
    for name in DESCRIBED:
        card = judge_card(name) if name in (*names, "panel") else None
        if card is not None:
            newer = [one for one in others if one.partition("@")[0] == name and one != card["judge"]]
            rows.append(_row(card, newer))
    return rows


def _row(card: Mapping[str, Any], newer: Sequence[str]) -> CardRow:
    times: list[dict[str, Any]] = next(iter(card["timings"]["engines"].values()), [])
    own = not card["timings"]["scripted"]
    return CardRow(
        judge=card["judge"],
        question=card["question"],
        auroc=_ends(card, "auroc"),
        coverage=_ends(card, "coverage"),
        milliseconds=next((row["p50_ms"] for row in times if own and row["words"] == _WORDS), None),
        blind_spots=card["blind_spots"],
        asked=newer,
    )


def _ends(card: Mapping[str, Any], figure: str) -> tuple[float, float] | None:
    values = [row[figure]["value"] for row in card["quality"] if row[figure]["value"] is not None]
    return (min(values), max(values)) if values else None
