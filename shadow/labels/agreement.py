"""Do reviewers agree with each other, by query type, where do they not, and does it fit their gold record?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from shadow.statistics.judge_agreement import Share
from shadow.statistics.judge_quality import Figure
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.reviewer_agreement import Agreement, Implied, agreement, implied_disagreement, settled
from shadow.store import label_pairs, labels
from shadow.store.engine import AsyncConnection
from shadow.store.label_pairs import LabelledTwice, ReviewerRow


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementReport:
    """overall and by_query_type: of the first two labels of each answer. disputed: answers on which these differ."""

    overall: Agreement
    by_query_type: Mapping[str, Agreement]
    disputed: Sequence[LabelledTwice]
    reviewers: Sequence[ReviewerRow]
    implied: Implied | None

    @property
    def unsettled(self) -> int:
        """Disputed answers that wait for a third reviewer."""
        return sum(settled(answer.labels) is None for answer in self.disputed)


async def load_agreement(connection: AsyncConnection, *, days: float, now: datetime) -> AgreementReport:
    """The report on samples of the last days."""
    twice = await label_pairs.labelled_twice(connection, since=now - timedelta(days=days), until=now)
    reviewers = await label_pairs.reviewer_rows(connection)
    return agreement_report(twice, reviewers, await labels.reviewer_quality(connection))


def agreement_report(
    twice: Sequence[LabelledTwice], reviewers: Sequence[ReviewerRow], gold: Reviewer | None
) -> AgreementReport:
    """The report on these answers. Pure."""
    overall = _of(twice)
    types = sorted({answer.query_type for answer in twice})
    return AgreementReport(
        overall=overall,
        by_query_type={name: _of([answer for answer in twice if answer.query_type == name]) for name in types},
        disputed=[answer for answer in twice if answer.labels[0] != answer.labels[1]],
        reviewers=reviewers,
        implied=implied_disagreement(overall, gold),
    )


def _of(twice: Sequence[LabelledTwice]) -> Agreement:
    return agreement(
        [answer.labels[0] for answer in twice],
        [answer.labels[1] for answer in twice],
        [answer.sample_id for answer in twice],
    )


def agreement_json(found: AgreementReport) -> dict[str, Any]:
    """As values that `json.dumps` takes. Of a dispute nobody is told what was said while it waits for a third reviewer."""
    return {
        "overall": _json(found.overall),
        "by_query_type": {name: _json(one) for name, one in found.by_query_type.items()},
        "disputed": len(found.disputed),
        "unsettled": found.unsettled,
        "reviewers": [asdict(row) for row in found.reviewers],
        "implied_disagreement": None if found.implied is None else asdict(found.implied),
    }


def disputes_json(found: AgreementReport) -> list[dict[str, Any]]:
    """Every disputed answer, the last labelled first; labels and their reviewers only where a third one has settled it."""
    rows = []
    for answer in found.disputed:
        verdict = settled(answer.labels)
        said = [] if verdict is None else list(zip(answer.reviewers, answer.labels, strict=True))
        rows.append(
            {
                "sample_id": answer.sample_id,
                "which": labels.blind_name(answer.sample_id, answer.tier),
                "query_type": answer.query_type,
                "settled": verdict,
                "labels": [{"reviewer": reviewer, "label": label} for reviewer, label in said],
                "labelled_at": answer.labelled_at.isoformat(),
            }
        )
    return rows


def agreement_lines(found: AgreementReport) -> list[str]:
    """For a terminal: a line each on agreement, kappa, disputes and what the gold record says of them."""
    agreed, kappa = found.overall.agreed, found.overall.kappa
    if agreed.value is None:
        return ["No answer was labelled by two reviewers yet."]
    lines = [
        f"Reviewers agree on {_share(agreed)} of {agreed.n:,} answers that two of them labelled; kappa {_plain(kappa)}."
    ]
    lines += [
        f"  {name}: {_share(one.agreed)} of {one.agreed.n:,}, kappa {_plain(one.kappa)}"
        for name, one in found.by_query_type.items()
    ]
    if found.disputed:
        lines.append(f"{len(found.disputed):,} disputed, {found.unsettled:,} of them wait for a third reviewer.")
    if found.implied is not None:
        text = f"Their gold record lets expect disagreement on {found.implied.value:.1%} (at most {found.implied.high:.1%})"
        exceeded = ": gold items are easier than the traffic, and labels are corrected too little."
        lines.append(text + (exceeded if found.implied.exceeded else "."))
    return lines


def _share(found: Share) -> str:
    if found.value is None or found.low is None or found.high is None:
        return "-"
    return f"{found.value:.1%} ({100 * found.low:.1f}-{100 * found.high:.1f})"


def _plain(found: Figure) -> str:
    if found.value is None or found.low is None or found.high is None:
        return "not defined"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def _json(found: Agreement) -> dict[str, Any]:
    return {"agreed": asdict(found.agreed), "kappa": asdict(found.kappa), "accepted": found.accepted}
