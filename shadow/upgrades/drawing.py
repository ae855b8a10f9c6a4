"""Which requests does the other model of an upgrade answer as well, and how likely was that? Fixed before its answer exists.

Requests that the ordinary arms have drawn are left to them, so that no figure of a tier changes because an upgrade is under way.
The draw is a hash of the request, independent of theirs: what is left is still a fair share of the tier's requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from router.contracts import Attempt, Exchange
from shadow.sampling.draws import Draw, Rates, Target, sample_probability, uniform
from shadow.store.upgrade_pairs import PairRow
from shadow.store.upgrades import UpgradeRow
from shadow.upgrades.design import Design
from shadow.upgrades.pins import CANDIDATE_TIER, PINNED_TIER


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An upgrade under way for a tier, as the draw needs it. left: pairs that may still be drawn."""

    row: UpgradeRow
    design: Design
    left: int

    @property
    def phase(self) -> str:
        return "canary" if self.row.state == "canary" else "shadow"


def draw_pair(
    running: Running, exchange: Exchange, *, seed: str, tiers: Sequence[str], rates: Rates
) -> tuple[Draw | None, PairRow] | None:
    """The pair drawn for an answered request of the tier that no ordinary arm has drawn, or None for most.

    In shadow the pinned model must have answered; in the canary's time the candidate, or the pinned one after the candidate
    was asked and failed: that counts as an answer nobody can accept. Where nothing has to be asked there is a pair alone.
    """
    if running.left <= 0 or exchange.mode != "route":
        return None
    candidate_served = _is(_answering(exchange), running.row.candidate)
    if running.phase == "shadow":
        concerned, rate = _is(_answering(exchange), running.row.pinned), running.design.rate
    else:
        failed = any(_is(attempt, running.row.candidate) for attempt in exchange.attempts)
        concerned, rate = candidate_served or failed, running.design.canary_rate
    if not concerned or uniform(seed, exchange.request_id, f"upgrade {running.row.id}") >= rate:
        return None
    served = running.row.tier
    pi = rate * (1.0 - sample_probability(rates, served_tier=served, tiers=tiers))
    if pi <= 0.0:
        return None
    above = tiers[min(list(tiers).index(served) + 1, len(tiers) - 1)]
    targets = [] if above == served else [Target(tier=above, repeat=0, pi=pi)]
    if running.phase == "shadow":
        targets.append(Target(tier=CANDIDATE_TIER, repeat=0, pi=pi))
    elif candidate_served:
        targets.append(Target(tier=PINNED_TIER, repeat=0, pi=pi))
    eta = running.design.label_share if running.phase == "shadow" else 0.0
    pair = PairRow(
        request_id=exchange.request_id,
        upgrade_id=running.row.id,
        phase=running.phase,
        started_at=exchange.started_at,
        query_type=exchange.query_type,
        feature=exchange.hints.feature or "",
        pi=pi,
        eta=eta,
        label_drawn=uniform(seed, exchange.request_id, f"label upgrade {running.row.id}") < eta,
        served_candidate=running.phase == "canary" and candidate_served,
    )
    return (_draw(above, targets, pi) if targets else None), pair


def _draw(reference: str, targets: Sequence[Target], pi: float) -> Draw:
    return Draw(
        arm="upgrade",
        reference_tier=reference,
        targets=tuple(targets),
        pi=pi,
        eta=1.0,
        label_drawn=False,
        counts_for_accuracy=False,
    )


def _answering(exchange: Exchange) -> Attempt | None:
    return next((a for a in reversed(exchange.attempts) if a.outcome == "ok" and a.tier == exchange.served_tier), None)


def _is(attempt: Attempt | None, spec: object) -> bool:
    return (
        attempt is not None
        and isinstance(spec, dict)
        and (attempt.provider, attempt.model) == (spec["provider"], spec["model"])
    )
