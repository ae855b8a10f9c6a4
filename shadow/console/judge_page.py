"""What does the page about judges show? How true their probabilities are, what thresholds promise, whom verdicts took, cards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from judges.calibration import Calibration, read_calibration, shipped_calibration
from judges.errors import JudgeError
from judges.verdicts import Cut, Target
from shadow.console.judge_cards import CardRow, card_rows
from shadow.judging.days_text import JudgeUse, PanelUse, judge_use, panel_use
from shadow.judging.reliability_svg import reliability_svg
from shadow.settings import Settings
from shadow.statistics.judge_reliability import Reliability, reliability
from shadow.store.console_session import reading
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.judge_days import judge_counts
from shadow.store.labelled import LabelledAnswer, labelled_answers

_RESAMPLES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRow:
    """One query type. behind: labels in the calibration. seen: None without labelled verdicts in the window."""

    query_type: str
    behind: int
    borrowed: bool
    use: PanelUse | None
    seen: Reliability | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePage:
    """The page's values. cuts: (judges up to, query type, thresholds). counts: whether the certificate promises enough to count.

    undecided: labelled answers on which the panel abstained, in no diagram. picture: SVG, "" without labelled verdicts.
    """

    calibration: Calibration
    target: Target
    counts: bool
    cuts: Sequence[tuple[str, str, Cut]]
    seen: Reliability | None
    picture: str
    undecided: int
    types: Sequence[TypeRow]
    judges: Sequence[JudgeUse]
    cards: Sequence[CardRow]


def add_judge_page(
    routes: APIRouter,
    settings: Settings,
    engine: AsyncEngine,
    *,
    render: Callable[..., HTMLResponse],
) -> None:
    """`/judges`."""

    @routes.get("/judges")
    async def judge_page(days: Annotated[float, Query(gt=0, le=400)] = settings.rollup.window_days) -> HTMLResponse:
        try:
            found = await load_judges(engine, settings, days=days, now=utc_now())
        except JudgeError as exc:
            return render("message.html", 503, title="The calibration cannot be read", text=str(exc))
        return render("judges.html", page=found, days=days)


async def load_judges(engine: AsyncEngine, settings: Settings, *, days: float, now: datetime) -> JudgePage:
    """Read the page. Raises: StoreError where the database can't be read, BadCalibration."""
    path = settings.judges.calibration
    calibration = shipped_calibration() if path is None else read_calibration(path)
    since = now - timedelta(days=days)
    async with reading(engine) as connection:
        labelled = await labelled_answers(connection, since=since, until=now)
        counts = await judge_counts(connection, since=since.date(), until=now.date())
    target = Target(agreement=settings.judges.target_agreement, confidence=settings.judges.target_confidence)
    found = calibration.certificate
    cuts = (
        [] if found is None else [(key, kind, cut) for key, cuts in found.stages.items() for kind, cut in cuts.items()]
    )
    seen, asked = _reliability(labelled), judge_use(counts)
    uses = {use.query_type: use for use in panel_use(counts)}
    kinds = sorted({*uses, *(one.query_type for one in labelled)})
    return JudgePage(
        calibration=calibration,
        target=target,
        counts=found is not None and found.meets(target),
        cuts=[(key.rpartition("+")[2], kind, cut) for key, kind, cut in cuts],
        seen=seen,
        picture="" if seen is None else reliability_svg(seen, "Verdicts held against labels"),
        undecided=sum(one.probability is None for one in labelled),
        types=[
            TypeRow(
                query_type=kind,
                behind=calibration.labels_of(_known(kind)),
                borrowed=calibration.is_borrowed(_known(kind)),
                use=uses.get(kind),
                seen=_reliability([one for one in labelled if one.query_type == kind]),
            )
            for kind in kinds
        ],
        judges=asked,
        cards=card_rows(settings.judges.panel, (use.judge for use in asked)),
    )


def _known(query_type: str) -> str | None:
    return None if query_type == "unknown" else query_type


def _reliability(labelled: Sequence[LabelledAnswer]) -> Reliability | None:
    """Of the answers that have a probability, as it was when they were judged; reviewers who disagree count by majority."""
    known = [(one, one.probability) for one in labelled if one.probability is not None and one.label != 0.5]
    return reliability(
        [probability for _, probability in known],
        [round(one.label) for one, _ in known],
        [one.request_id for one, _ in known],
        rng=np.random.default_rng(0),
        resamples=_RESAMPLES,
    )
