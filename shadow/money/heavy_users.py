"""Which users cost far more than others, and what drives it? Exact: every request is counted, nothing is sampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log10
from statistics import median
from typing import Literal

from shadow.store.spend import SpendCell

#: Smallest share of all spend that is worth a finding.
LEAST_SHARE = 0.02
#: Fewest requests of a user that are more than a chance.
LEAST_REQUESTS = 20
#: A user is dear whose share of spend is this many times the share of requests.
DEAR_TIMES = 3.0
#: Modified z-score above which a user's spend is an outlier. Source: Iglewicz and Hoaglin 1993.
OUTLIER_SCORE = 3.5
#: Fewest users among whom one can be an outlier.
LEAST_USERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class HeavyUser:
    """A user who stands out. Shares in [0, 1] of all requests and spend of the window, unnamed users included.

    why: "dear" (requests cost far more than others'), "outlier" (spends far more than other users), or both. score: modified
    z-score of the logarithm of spend; None with too few users. driver_*: the tier and query type in which most is spent beyond
    what as many requests cost on average, and how much is spent there.
    """

    name: str
    requests: int
    cost_usd: Decimal
    share_of_requests: float
    share_of_spend: float
    why: tuple[Literal["dear", "outlier"], ...]
    score: float | None
    driver_tier: str
    driver_query_type: str
    driver_usd: Decimal


def heavy_users(cells: Sequence[SpendCell], *, limit: int = 10) -> tuple[HeavyUser, ...]:
    """Users who stand out, dearest first. cells: all spend of a window by user, tier and query type."""
    requests, spent = sum(cell.requests for cell in cells), sum((cell.cost_usd for cell in cells), Decimal(0))
    if requests == 0 or spent == 0:
        return ()
    by_user: dict[str, list[SpendCell]] = {}
    for cell in cells:
        if cell.name:
            by_user.setdefault(cell.name, []).append(cell)
    costs = {name: sum((cell.cost_usd for cell in own), Decimal(0)) for name, own in by_user.items()}
    scores = _scores(costs)
    mean = spent / requests
    found = []
    for name, own in by_user.items():
        user_requests = sum(cell.requests for cell in own)
        share, of_requests = float(costs[name] / spent), user_requests / requests
        score = scores.get(name)
        why: list[Literal["dear", "outlier"]] = []
        if share >= DEAR_TIMES * of_requests:
            why.append("dear")
        if score is not None and score > OUTLIER_SCORE:
            why.append("outlier")
        if not why or share < LEAST_SHARE or user_requests < LEAST_REQUESTS:
            continue
        driver = max(own, key=lambda cell: (cell.cost_usd - cell.requests * mean, cell.cost_usd))
        found.append(
            HeavyUser(
                name=name,
                requests=user_requests,
                cost_usd=costs[name],
                share_of_requests=of_requests,
                share_of_spend=share,
                why=tuple(why),
                score=score,
                driver_tier=driver.tier,
                driver_query_type=driver.query_type,
                driver_usd=driver.cost_usd,
            )
        )
    return tuple(sorted(found, key=lambda user: (-user.cost_usd, user.name))[:limit])


def _scores(costs: dict[str, Decimal]) -> dict[str, float]:
    """Modified z-scores of log spend. Spend is skewed: on the plain scale, half of all users would stand out."""
    logs = {name: log10(float(cost)) for name, cost in costs.items() if cost > 0}
    if len(logs) < LEAST_USERS:
        return {}
    middle = median(logs.values())
    spread = median(abs(value - middle) for value in logs.values()) / 0.6745
    if spread == 0:  # more than half spend the same
        spread = 1.2533 * sum(abs(value - middle) for value in logs.values()) / len(logs)
    return {name: (value - middle) / spread for name, value in logs.items()} if spread > 0 else {}
