"""Which query types could be served by a cheaper tier, at which loss, and what would that save?

From labels on both answers where there are enough of them, else from judges alone. *Certified* needs 200 labelled pairs and a
test whose error is shared among all moves that were tested. Each interval is at its own level: of twenty, one may be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from shadow.statistics.certificate import MIN_LABELS
from shadow.statistics.estimate import Estimate
from shadow.statistics.move_loss import MIN_LABELS_SHOWN, labelled_loss, loss_p_value, loss_sums
from shadow.statistics.moves import MIN_PAIRS, MOVE_FIELDS, MoveSums, loss_beyond, mean_loss, saved_share
from shadow.statistics.pair_sums import PairSums
from shadow.store.moves import Move
from shadow.store.rollups import PairSlice, Slice
from shadow.store.spend import SpendCell

#: cheap_enough: the whole interval of the loss is within the margin. loses: all of it is beyond. undecided: the margin is in it.
Verdict = Literal["cheap_enough", "loses", "undecided", "too_few_pairs"]
#: certified: shown by labels that the loss is below the margin. uncertified: cheap enough, by judges or by few labels.
Status = Literal["certified", "uncertified", "not_shown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFinding:
    """Serving a query type's requests at `from_tier` by `to_tier` instead.

    requests, cost_usd: what was served there, exact. loss: share of answers lost, by labels on both answers where 30 pairs have
    them, else judged (`judged_loss` is that in either case); saving_usd_per_day: at the mirrored answers' prices. None where too
    little was mirrored to say it. pairs, floor_pairs: mirrored requests behind the judged loss, and behind how often the tier
    rejects itself (None where that is not needed). labels: pairs with labels on both answers. p_value: of "the loss is the margin
    or more", None below 200 labels; studentised, so that it holds for many labels only (asymptotic).
    """

    query_type: str
    from_tier: str
    to_tier: str
    requests: int
    cost_usd: Decimal
    verdict: Verdict
    loss: Estimate | None
    saving_usd_per_day: Estimate | None
    pairs: int
    floor_pairs: int | None
    judged_loss: Estimate | None = None
    labels: int = 0
    p_value: float | None = None
    bound: Literal["studentised"] | None = None
    status: Status = "not_shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeFinding:
    """One query type with its spend (exact) and every move of it, best first."""

    query_type: str
    requests: int
    cost_usd: Decimal
    share_of_spend: float
    moves: tuple[MoveFinding, ...]


def query_types(
    cells: Sequence[SpendCell],
    moves: Sequence[Move],
    *,
    tiers: Sequence[str],
    days: float,
    margin: float,
    delta: float = 0.1,
    pairs: Sequence[PairSlice] = (),
    slices: Sequence[Slice] = (),
    level: float = 0.95,
) -> tuple[TypeFinding, ...]:
    """Every query type, dearest first. cells: all spend, by any name. tiers: cheapest first. margin: loss that is tolerated.

    delta: probability that any move is called certified whose loss is the margin or more; shared among the moves with labels
    enough to be tested. pairs, slices: of the same window, by query type and band, for labels and the requests of each band.
    """
    spent = sum((cell.cost_usd for cell in cells), Decimal(0))
    by_type: dict[str, dict[str, tuple[int, Decimal]]] = {}
    for cell in cells:
        served = by_type.setdefault(cell.query_type, {})
        requests, cost = served.get(cell.tier, (0, Decimal(0)))
        served[cell.tier] = (requests + cell.requests, cost + cell.cost_usd)
    sums = {(move.query_type, move.served_tier, move.other_tier, move.arm): move.sums for move in moves}
    labelled = _labelled(pairs, slices)
    tested = sum(
        one.labelled >= MIN_LABELS
        for (name, tier, other), one in labelled.items()
        if tier in tiers and other in tiers[: tiers.index(tier)] and tier in by_type.get(name, ())
    )
    found = []
    for name, served in by_type.items():
        own = [
            _certified(
                _move(name, tiers, higher, lower, served[tiers[higher]], sums, days=days, margin=margin, level=level),
                labelled.get((name, tiers[higher], tiers[lower])),
                margin=margin,
                delta=delta / max(1, tested),
                level=level,
            )
            for higher in range(1, len(tiers))
            if tiers[higher] in served
            for lower in range(higher)
        ]
        cost = sum((usd for _, usd in served.values()), Decimal(0))
        found.append(
            TypeFinding(
                query_type=name,
                requests=sum(requests for requests, _ in served.values()),
                cost_usd=cost,
                share_of_spend=float(cost / spent) if spent else 0.0,
                moves=tuple(sorted(own, key=_order)),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.cost_usd, one.query_type)))


def _move(
    name: str,
    tiers: Sequence[str],
    higher: int,
    lower: int,
    served: tuple[int, Decimal],
    sums: Mapping[tuple[str, str, str, str], MoveSums],
    *,
    days: float,
    margin: float,
    level: float,
) -> MoveFinding:
    tier, cheaper = tiers[higher], tiers[lower]
    up, down = sums.get((name, tier, cheaper, "up")), sums.get((name, tier, cheaper, "down"))
    floor = None
    loss: Estimate | None = None
    if higher == len(tiers) - 1:
        # The top tier's answers are the reference: judges reject some of its own second answers, too.
        pairs, floor = down, sums.get((name, tier, tier, "control"))
        if pairs is not None and floor is not None:
            loss = loss_beyond(pairs, floor, level=level)
    else:
        pairs = up
        loss = mean_loss(pairs, level=level) if pairs is not None else None
    enough = pairs is not None and pairs.pairs >= MIN_PAIRS and (floor is None or floor.pairs >= MIN_PAIRS)
    both = _added(up, down)
    share = saved_share(both, level=level) if both is not None and both.pairs >= MIN_PAIRS else None
    requests, cost = served
    return MoveFinding(
        query_type=name,
        from_tier=tier,
        to_tier=cheaper,
        requests=requests,
        cost_usd=cost,
        verdict=_verdict(loss, margin) if loss is not None and enough else "too_few_pairs",
        loss=loss,
        saving_usd_per_day=_scaled(share, float(cost) / days) if share is not None else None,
        pairs=round(pairs.pairs) if pairs is not None else 0,
        floor_pairs=(round(floor.pairs) if floor is not None else 0) if higher == len(tiers) - 1 else None,
    )


def _labelled(pairs: Sequence[PairSlice], slices: Sequence[Slice]) -> dict[tuple[str, str, str], PairSums]:
    """(query type, served tier, other tier) -> what labels say of the loss; without those of which nothing is labelled."""
    requests: dict[tuple[str, str, str], float] = {}
    for piece in slices:
        band = (piece.query_type or "", piece.tier, piece.band or "")
        requests[band] = requests.get(band, 0.0) + piece.sums.requests
    arms: dict[tuple[str, str, str], dict[str, dict[str, PairSums]]] = {}
    for pair in pairs:
        arms.setdefault((pair.query_type, pair.tier, pair.other_tier), {}).setdefault(pair.arm, {})[pair.band] = (
            pair.sums
        )
    found = {}
    for (name, tier, other), by_arm in arms.items():
        bands = {band: count for (of, at, band), count in requests.items() if (of, at) == (name, tier)}
        one = loss_sums(
            [(bands.get(band, 0.0), own.get(band, PairSums())) for band in {*bands, *own}] for own in by_arm.values()
        )
        if one is not None:
            found[name, tier, other] = one
    return found


def _certified(move: MoveFinding, sums: PairSums | None, *, margin: float, delta: float, level: float) -> MoveFinding:
    """The move with what labels say of it. delta: of this one test."""
    labels = round(sums.labelled) if sums is not None else 0
    by_labels = labelled_loss(sums, level=level) if sums is not None and labels >= MIN_LABELS_SHOWN else None
    p_value = loss_p_value(sums, margin=margin) if sums is not None and labels >= MIN_LABELS else None
    verdict = _verdict(by_labels, margin) if by_labels is not None else move.verdict
    status: Status = "uncertified" if verdict == "cheap_enough" else "not_shown"
    if p_value is not None:  # with labels enough for a test, only the test counts
        status = "certified" if p_value <= delta else "not_shown"
    return replace(
        move,
        verdict=verdict,
        loss=by_labels or move.loss,
        judged_loss=move.loss,
        labels=labels,
        p_value=p_value,
        bound="studentised" if p_value is not None else None,
        status=status,
    )


def _verdict(loss: Estimate, margin: float) -> Verdict:
    if loss.high is not None and loss.high <= margin:
        return "cheap_enough"
    return "loses" if loss.low > margin else "undecided"


def _order(move: MoveFinding) -> tuple[int, float]:
    """Certified ones first, then good ones, then by what they save."""
    rank = ("cheap_enough", "undecided", "too_few_pairs", "loses").index(move.verdict)
    return -1 if move.status == "certified" else rank, -(
        move.saving_usd_per_day.value if move.saving_usd_per_day is not None else 0.0
    )


def _added(one: MoveSums | None, other: MoveSums | None) -> MoveSums | None:
    if one is None or other is None:
        return one or other
    return MoveSums(**{name: getattr(one, name) + getattr(other, name) for name in MOVE_FIELDS})


def _scaled(share: Estimate, usd: float) -> Estimate:
    high = share.high if share.high is not None else share.value
    return replace(share, value=share.value * usd, low=share.low * usd, high=high * usd)
