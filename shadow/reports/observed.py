"""What would have been served, and at what cost, had the router's decisions counted? The figures of mode observe.

Everything is computed from roll-ups. These figures say what to expect of mode route; they are estimates for judging whether
to go live, and no certificate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shadow.reports.bands import strata_of
from shadow.statistics.accuracy import Assessment, assess
from shadow.statistics.cost import Projection, projected_cost
from shadow.statistics.estimate import Undefined
from shadow.statistics.reviewer import Reviewer
from shadow.statistics.sums import Sums
from shadow.store.rollups import Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedPart:
    """The requests decided for one tier ("" is all), of one query type ("" is all). share: of all requests, exact.

    accuracy: of the answers that this tier would have served. cost: what they would have cost, with what was saved by it
    against what was paid; mirrors are not deducted.
    """

    tier: str
    query_type: str
    requests: int
    share: float
    accuracy: Assessment
    cost: Projection | Undefined


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedReport:
    """A window of mode observe. served: requests by the tier that really answered."""

    served: Mapping[str, int]
    tiers: tuple[ObservedPart, ...]
    parts: tuple[ObservedPart, ...]
    overall: ObservedPart


def observed_report(
    slices: Sequence[Slice], *, tiers: Sequence[str], reviewer: Reviewer | None, level: float = 0.95
) -> ObservedReport | None:
    """The report on the slices of a window; None where there was no request in mode observe. Pure. tiers: cheapest first."""
    total = sum(piece.sums.requests for piece in slices)
    if total <= 0:
        return None
    decided = {piece.tier for piece in slices}
    order = [*sorted(decided - set(tiers)), *(tier for tier in tiers if tier in decided)]

    def part(tier: str, query_type: str) -> ObservedPart:
        own = [
            piece
            for piece in slices
            if tier in ("", piece.tier) and (not query_type or (piece.query_type or "") == query_type)
        ]
        has_top = tier in ("", tiers[-1])
        requests = sum(piece.sums.requests for piece in own)
        return ObservedPart(
            tier=tier,
            query_type=query_type,
            requests=int(requests),
            share=requests / total,
            accuracy=assess(strata_of(own), level=level, reviewer=reviewer, top_tier=tiers[-1] if has_top else None),
            cost=projected_cost(_by_route(own), level=level),
        )

    served: dict[str, int] = {}
    for piece in slices:
        served[piece.served_tier or ""] = served.get(piece.served_tier or "", 0) + int(piece.sums.requests)
    types = {tier: sorted({piece.query_type or "" for piece in slices if piece.tier == tier}) for tier in order}
    return ObservedReport(
        served=served,
        tiers=tuple(part(tier, "") for tier in order),
        parts=tuple(part(tier, query_type) for tier in order for query_type in types[tier]),
        overall=part("", ""),
    )


def _by_route(slices: Sequence[Slice]) -> dict[tuple[str, str], Sums]:
    routes: dict[tuple[str, str], Sums] = {}
    for piece in slices:
        key = (piece.tier, piece.served_tier or "")
        routes[key] = routes[key] + piece.sums if key in routes else piece.sums
    return routes
