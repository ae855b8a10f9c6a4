"""Which requests of a window are mirrored, to which tiers, and how likely was that? `shadow.sampling.draws` for whole arrays.

The same design, arm for arm, with the same numbers from the same salts (a test holds the two side by side).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from shadow.replay.population import Bools, Floats, Ints
from shadow.sampling.draws import Rates, accuracy_probability

#: Numbers in [0, 1) for these requests (their places in the window), drawn for this purpose.
Uniform = Callable[[str, Ints], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """m sampled requests. at: (m,), their places in the window, rising. served: (m,), the tier that answered.

    obtained: (m, T), first answers that the mirror obtains; again: (m,), the reference is asked a second time.
    counts: (m,), the pair that accuracy rests on is obtained (the reference, or the top tier twice).
    upwards: (m,), drawn in the up arm.
    """

    at: Ints
    served: Ints
    obtained: Bools
    again: Bools
    counts: Bools
    upwards: Bools


def rates_at(share: float) -> Rates:
    """The product's rates with this share mirrored upwards; a fifth of it downwards and, on top, a second time."""
    usual = Rates()
    scale = share / usual.up
    return Rates(up=share, down=min(1.0, usual.down * scale), control_top=min(1.0, usual.control_top * scale))


def draw_samples(rates: Rates, served: Ints, tiers: Sequence[str], uniform: Uniform) -> Drawn:
    """The samples of a window. served: (n,), the serving tier of each request. Cost: O(n)."""
    top = len(tiers) - 1
    every = np.arange(served.size)
    number = uniform("arm", every)
    first = np.where(served == top, rates.control_top, rates.up)
    in_first = number < first
    downwards = ~in_first & (served > 0) & (number < first + rates.down)
    at = np.flatnonzero(in_first | downwards)
    tier, down = served[at], downwards[at]
    up = ~down & (tier < top)
    control = ~down & (tier == top)
    obtained = np.zeros((at.size, top + 1), dtype=np.bool_)
    counts = control.copy()
    again = control.copy()

    rows = np.flatnonzero(up)
    own = tier[rows]
    run_all = uniform("all tiers", at[rows]) < rates.all_tiers_share
    between = np.maximum(top - own - 1, 0)
    aside = ~run_all & (uniform("target", at[rows]) < np.where(between > 0, rates.intermediate_share, 0.0))
    middle = own + 1 + (uniform("between", at[rows]) * between).astype(np.int64)
    obtained[rows[run_all]] = True
    obtained[rows[aside], middle[aside]] = True
    obtained[rows[~run_all & ~aside], top] = True
    obtained[rows, own] = False  # served already
    counts[rows] = ~aside
    again[rows] = ~aside & (uniform("control", at[rows]) < rates.control_share)

    rows = np.flatnonzero(down)
    cheaper = (uniform("cheaper", at[rows]) * tier[rows]).astype(np.int64)
    obtained[rows, cheaper] = True
    return Drawn(at=at, served=tier, obtained=obtained, again=again, counts=counts, upwards=up)


def accuracy_inclusion(rates: Rates, tiers: Sequence[str]) -> Floats:
    """By serving tier, shape (T,): the chance that a request becomes a sample that counts for accuracy."""
    return np.array([accuracy_probability(rates, at, tiers) for at in range(len(tiers))])


def pair_inclusion(rates: Rates, tiers: Sequence[str]) -> Floats:
    """By serving tier and cheaper tier t, shape (T, T-1): the chance that the answers of t and of the reference are obtained."""
    top = len(tiers) - 1
    found = np.full((top + 1, top), rates.up * rates.all_tiers_share)
    found[np.arange(top), np.arange(top)] = accuracy_inclusion(rates, tiers)[:-1]
    found[top] = min(rates.down, 1.0 - rates.control_top) / top
    return found


def row_inclusion(rates: Rates, tiers: Sequence[str]) -> Floats:
    """By serving tier, shape (T,): the chance that a request is drawn in an arm that can show both answers, or is a control."""
    found = np.full(len(tiers), rates.up)
    found[-1] = min(1.0, rates.control_top + rates.down)
    return found
