"""How much of what judges call different is noise? Per tier and query type, with the reference's own divergence beside it.

The top tier is the reference: of it only self-consistency can be said, which is no accuracy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shadow.statistics.accuracy import assess
from shadow.statistics.estimate import Estimate, Undefined
from shadow.statistics.noise_floor import NoiseFloor, NoiseSums, noise_floor
from shadow.statistics.rates import coverage
from shadow.statistics.strata import Strata
from shadow.store.noise import Noise


@dataclass(frozen=True, slots=True, kw_only=True)
class TierNoise:
    """What control samples say of one tier. query_type: "" for all of them together. reference: the tier it is held against."""

    tier: str
    query_type: str
    reference: str
    found: NoiseFloor


def tier_noise(
    noise: Sequence[Noise], strata: Strata, *, tiers: Sequence[str], level: float = 0.95
) -> tuple[TierNoise, ...]:
    """One entry per tier (cheapest first, the top tier last), each followed by those of its query types. Pure."""
    top = tiers[-1]
    below = [*sorted({piece.tier for piece in noise} - set(tiers)), *tiers[:-1]]
    made: list[TierNoise] = []
    for tier in below:
        own = [piece for piece in noise if piece.tier == tier]
        made.append(_entry(tier, "", top, (piece.sums for piece in own), level))
        for query_type in sorted({piece.query_type for piece in own}):
            sums = (piece.sums for piece in own if piece.query_type == query_type)
            made.append(_entry(tier, query_type, top, sums, level))
    return (*made, *_of_top(top, strata, level))


def _entry(tier: str, query_type: str, reference: str, sums: Iterable[NoiseSums], level: float) -> TierNoise:
    found = noise_floor(NoiseSums.total(sums), level=level)
    return TierNoise(tier=tier, query_type=query_type, reference=reference, found=found)


def _of_top(top: str, strata: Strata, level: float) -> list[TierNoise]:
    """The top tier against its own second answers: the complement of self-consistency."""
    own = {key: sums for key, sums in strata.items() if key.tier == top}
    types = sorted({key.query_type for key, sums in own.items() if sums.sampled > 0})
    entries = []
    for query_type in ("", *types):
        part = {key: sums for key, sums in own.items() if query_type in ("", key.query_type)}
        found = assess(part, level=level)
        same = Undefined(reason="is_reference", detail=top)
        undefined = {"divergence": same, "excess": same}
        floor = None if found.raw is None else _complement(found.raw)
        if floor is None:
            undefined["floor"] = found.undefined["raw"]
        judged = sum(sums.judged for sums in part.values())
        entries.append(
            TierNoise(
                tier=top,
                query_type=query_type,
                reference=top,
                found=NoiseFloor(
                    divergence=None,
                    floor=floor,
                    excess=None,
                    coverage=coverage(part, level=level),
                    control=found.sampled,
                    pairs=round(judged),
                    undefined=undefined,
                ),
            )
        )
    return entries


def _complement(estimate: Estimate) -> Estimate:
    high = 1.0 if estimate.high is None else estimate.high
    return Estimate(
        value=1.0 - estimate.value,
        low=1.0 - high,
        high=1.0 - estimate.low,
        n=estimate.n,
        level=estimate.level,
        method=estimate.method,
        effective_n=estimate.effective_n,
        corrected=estimate.corrected,
    )
