"""Which samples does the reviewer see? A fixed number of labels, spread over the tiers as the requests are."""

from __future__ import annotations

import numpy as np

from shadow.replay.population import Bools, Floats, Ints


def allocate(labels: int, requests: Ints, samples: Ints) -> Ints:
    """Labels by tier, shape (T,): in proportion to the tier's requests, so that 1/(pi eta) is the same everywhere.

    A tier has no more labels than samples; what it can't take goes to the others.
    """
    room = np.where(requests > 0, samples, 0)
    wanted = min(labels, int(room.sum()))
    exact = np.zeros(room.size)
    while (left := wanted - exact.sum()) > 1e-6:  # each round fills a tier or ends: as many rounds as tiers at most
        open_ = np.where(exact < room, requests, 0)
        exact = np.minimum(exact + left * open_ / open_.sum(), room)
    # Whole numbers: rounded down, and what is left goes to the largest remainders.
    given = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(np.where(given < room, given - exact, np.inf), kind="stable")
    given[order[: wanted - int(given.sum())]] += 1
    return given


def draw_labels(tier: Ints, given: Ints, rng: np.random.Generator) -> tuple[Bools, Floats]:
    """Which samples are labelled, and how likely that was, both (m,). tier: (m,); given: (T,), labels by tier."""
    labelled = np.zeros(tier.size, dtype=np.bool_)
    samples = np.bincount(tier, minlength=given.size)
    for at in np.flatnonzero(given):
        labelled[rng.choice(np.flatnonzero(tier == at), size=given[at], replace=False)] = True
    chance = given / np.maximum(samples, 1)
    return labelled, np.where(chance[tier] > 0, chance[tier], 1.0)
