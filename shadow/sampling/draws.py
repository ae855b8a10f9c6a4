"""Which requests are mirrored, to which tiers, and how likely was that? Deterministic draws with recorded probabilities.

Everything here is fixed before any shadow answer exists: the draw is a hash of (seed, request id, salt), so that two workers,
or the same worker after a crash, draw the same sample. The inclusion probability that is stored is the design's, never what
turned out to succeed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

Arm = Literal["up", "down", "control", "observe", "upgrade"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Sampling rates in [0, 1]; names as in the `sampling` section of the configuration.

    up, down: share of requests mirrored upwards, downwards; in mode observe, up is also the share mirrored to the tier that
    was decided for but did not serve. control_top: share of top-tier requests asked twice. The three
    shares are of up-arm samples: an intermediate tier instead of the reference, every tier, the reference asked twice.
    label, label_top: share of requests below the top tier, of the top tier's own, that a reviewer is asked about; a sample's
    probability is that share divided by pi, at most 1. Must be positive.
    """

    up: float = 0.05
    down: float = 0.01
    intermediate_share: float = 0.20
    all_tiers_share: float = 0.20
    control_share: float = 0.10
    control_top: float = 0.01
    label: float = 0.0025
    label_top: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One answer to obtain. repeat: 0 for the first answer of a tier, 1 for asking it again. pi: its inclusion probability."""

    tier: str
    repeat: int
    pi: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a sample says about the tier that the router decided for, in mode observe.

    pi: probability that this tier's answer is obtained; eta: that a reviewer is asked about it, given that.
    """

    tier: str
    pi: float
    eta: float
    label_drawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A sampled request: what to obtain and with which probability.

    pi: probability that the pair which counts for accuracy is obtained (served against reference; served against itself for
    the top tier). counts_for_accuracy: False for draws that serve other questions only (down, intermediate, observe, upgrade).
    eta: probability that a reviewer is asked, given the sample. observed: only in mode observe.
    """

    arm: Arm
    reference_tier: str
    targets: tuple[Target, ...]
    pi: float
    eta: float
    label_drawn: bool
    counts_for_accuracy: bool
    observed: Observed | None = None


def uniform(seed: str, request_id: str, salt: str) -> float:
    """A number in [0, 1), the same for the same (seed, request id, salt). Source: SHA-256, first 53 bits."""
    digest = hashlib.sha256(f"{seed}\x1f{request_id}\x1f{salt}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)


def draw(rates: Rates, *, seed: str, request_id: str, served_tier: str, tiers: Sequence[str]) -> Draw | None:
    """The sample drawn for an answered request, or None for most. tiers: names, cheapest first, at least two.

    Arms are disjoint: one uniform number decides between them. Raises ValueError if `served_tier` is unknown.
    """
    position = list(tiers).index(served_tier)
    is_top = position == len(tiers) - 1
    first_rate = rates.control_top if is_top else rates.up
    number = uniform(seed, request_id, "arm")
    if number < first_rate:
        return _control(rates, seed, request_id, tiers) if is_top else _up(rates, seed, request_id, position, tiers)
    if position > 0 and number < first_rate + rates.down:
        return _down(rates, seed, request_id, position, tiers)
    return None


def draw_observed(
    rates: Rates, *, seed: str, request_id: str, served_tier: str, decided_tier: str, tiers: Sequence[str]
) -> Draw | None:
    """The sample drawn for a request answered in mode observe, where the tier that served need not be the decided one.

    Where it is, all is as in mode route. Where not, a share `up` is mirrored to the decided tier, nested with the draw that
    mode route makes for the served tier (one uniform number decides on both), so that either keeps its probability; nothing
    is mirrored downwards besides. Raises ValueError if a tier is unknown.
    """
    if decided_tier == served_tier:
        drawn = draw(rates, seed=seed, request_id=request_id, served_tier=served_tier, tiers=tiers)
        if drawn is None or not drawn.counts_for_accuracy:
            return drawn
        same = Observed(tier=decided_tier, pi=drawn.pi, eta=drawn.eta, label_drawn=drawn.label_drawn)
        return replace(drawn, observed=same)
    is_top = list(tiers).index(decided_tier) == len(tiers) - 1
    drawn = draw(replace(rates, down=0.0), seed=seed, request_id=request_id, served_tier=served_tier, tiers=tiers)
    if uniform(seed, request_id, "arm") >= rates.up:
        return drawn
    eta = label_probability(rates, rates.up, is_top=is_top)
    labelled = uniform(seed, request_id, "label") < eta
    observed = Observed(tier=decided_tier, pi=rates.up, eta=eta, label_drawn=labelled)
    target = Target(tier=decided_tier, repeat=0, pi=rates.up)
    if drawn is None:
        return Draw(
            arm="observe",
            reference_tier=served_tier,
            targets=(target,),
            pi=rates.up,
            eta=eta,
            label_drawn=False,
            counts_for_accuracy=False,
            observed=observed,
        )
    others = tuple(other for other in drawn.targets if (other.tier, other.repeat) != (decided_tier, 0))
    # A target that the draw had already chosen stays the first: the sample stands and falls with it.
    targets = (target, *others) if len(others) < len(drawn.targets) else (*others, target)
    return replace(drawn, targets=targets, observed=observed)


def accuracy_probability(rates: Rates, position: int, tiers: Sequence[str]) -> float:
    """Chance that a request served by the tier at `position` becomes a sample that counts for that tier's accuracy."""
    if position == len(tiers) - 1:
        return rates.control_top
    intermediate_share = rates.intermediate_share if position < len(tiers) - 2 else 0.0
    return rates.up * (rates.all_tiers_share + (1.0 - rates.all_tiers_share) * (1.0 - intermediate_share))


def pair_probabilities(
    rates: Rates, *, served_tier: str, tiers: Sequence[str], decided_tier: str | None = None
) -> dict[str, float]:
    """For every tier below the top: chance that its answer and the top tier's are both obtained for an answered request.

    0 where that can't happen. decided_tier: in mode observe, the tier that the router decided for. Raises ValueError if a tier
    is unknown.
    """
    position, top = list(tiers).index(served_tier), len(tiers) - 1
    with_all = rates.up * rates.all_tiers_share
    if position < top:
        chances = dict.fromkeys(tiers[:-1], with_all) | {served_tier: accuracy_probability(rates, position, tiers)}
        if decided_tier == tiers[top]:
            between = tiers[position + 1 : top]  # whatever else is asked, the top tier is as well
            alone = rates.up * (1.0 - rates.all_tiers_share) * rates.intermediate_share / max(1, len(between))
            chances |= dict.fromkeys(between, with_all + alone) | {served_tier: rates.up}
        elif decided_tier in chances:
            chances[decided_tier] = chances[served_tier]  # nested: the same number draws both
        return chances
    if decided_tier is None or decided_tier == served_tier:
        return dict.fromkeys(tiers[:-1], rates.down / top)
    return dict.fromkeys(tiers[:-1], 0.0) | {decided_tier: rates.up}


def sample_probability(
    rates: Rates, *, served_tier: str, tiers: Sequence[str], decided_tier: str | None = None
) -> float:
    """Chance that an answered request is sampled at all, by whichever arm. Raises ValueError if a tier is unknown."""
    position, top = list(tiers).index(served_tier), len(tiers) - 1
    first = rates.control_top if position == top else rates.up
    if decided_tier is not None and decided_tier != served_tier:
        return max(first, rates.up)
    return min(1.0, first + (rates.down if position > 0 else 0.0))


def label_probability(rates: Rates, pi: float, *, is_top: bool) -> float:
    """Chance that a reviewer is asked about a sample. Self-weighting: 1 / (pi eta) is the same within a tier, wherever eta < 1.

    The top tier has a share of its own: it has no better reference, so labels are all that is known of it.
    """
    return min(1.0, (rates.label_top if is_top else rates.label) / pi)


def _up(rates: Rates, seed: str, request_id: str, position: int, tiers: Sequence[str]) -> Draw:
    reference, between = tiers[-1], tiers[position + 1 : -1]
    intermediate_share = rates.intermediate_share if between else 0.0
    run_all = uniform(seed, request_id, "all tiers") < rates.all_tiers_share
    pi_of = dict.fromkeys(tiers[:position], rates.up * rates.all_tiers_share)
    for tier in between:
        alone = (1.0 - rates.all_tiers_share) * intermediate_share / len(between)
        pi_of[tier] = rates.up * (rates.all_tiers_share + alone)
    pi_of[reference] = accuracy_probability(rates, position, tiers)

    if run_all:
        chosen = [tier for tier in tiers if tier != tiers[position]]
    elif uniform(seed, request_id, "target") < intermediate_share:
        chosen = [between[int(uniform(seed, request_id, "between") * len(between))]]
    else:
        chosen = [reference]
    targets = [Target(tier=tier, repeat=0, pi=pi_of[tier]) for tier in chosen]
    with_reference = reference in chosen
    if with_reference and uniform(seed, request_id, "control") < rates.control_share:
        targets.append(Target(tier=reference, repeat=1, pi=pi_of[reference] * rates.control_share))
    return _draw("up", rates, seed, request_id, reference, targets, pi_of[reference], counts=with_reference)


def _control(rates: Rates, seed: str, request_id: str, tiers: Sequence[str]) -> Draw:
    targets = [Target(tier=tiers[-1], repeat=1, pi=rates.control_top)]
    return _draw("control", rates, seed, request_id, tiers[-1], targets, rates.control_top, counts=True)


def _down(rates: Rates, seed: str, request_id: str, position: int, tiers: Sequence[str]) -> Draw:
    cheaper = tiers[:position]
    pi = rates.down / len(cheaper)
    target = Target(tier=cheaper[int(uniform(seed, request_id, "cheaper") * len(cheaper))], repeat=0, pi=pi)
    drawn = _draw("down", rates, seed, request_id, tiers[position], [target], pi, counts=False)
    if position < len(tiers) - 1:
        return drawn
    # Against the top tier the pair tells what a lower threshold would lose: without labels nothing could certify that.
    return replace(drawn, label_drawn=uniform(seed, request_id, "label") < drawn.eta)


def _draw(
    arm: Arm,
    rates: Rates,
    seed: str,
    request_id: str,
    reference: str,
    targets: Sequence[Target],
    pi: float,
    *,
    counts: bool,
) -> Draw:
    eta = label_probability(rates, pi, is_top=arm == "control")
    return Draw(
        arm=arm,
        reference_tier=reference,
        targets=tuple(targets),
        pi=pi,
        eta=eta,
        label_drawn=uniform(seed, request_id, "label") < eta and counts,
        counts_for_accuracy=counts,
    )
