"""Which samples does the reviewer see? A fixed number of labels, spread over the tiers as the requests are."""

from __future__ import annotations

import numpy as np

from shadow.replay.population import Bools, Floats, Ints


def allocate(labels: int, requests: Ints, samples: Ints) -> Ints:
    """Labels by tier, shape (T,): in proportion to the tier's requests, so that 1/(pi eta) is the same everywhere.

    A tier has no more labels than samples; what it can't take goes to the others.
    """
    given = np.zeros_like(samples)
    while True:
        open_ = (given < samples) & (requests > 0)
        left = labels - int(given.sum())
        if left <= 0 or not open_.any():
            return given
        share = np.where(open_, requests, 0) / requests[open_].sum() * left
        more = np.minimum(np.floor(share).astype(np.int64), samples - given)
        if not more.any():  # fewer labels left than tiers: to those with the largest shares
            more[np.argsort(-share, kind="stable")[:left]] = 1
            more = np.minimum(np.where(open_, more, 0), samples - given)
        given = given + more


def draw_labels(tier: Ints, given: Ints, rng: np.random.Generator) -> tuple[Bools, Floats]:
    """Which samples are labelled, and how likely that was, both (m,). tier: (m,); given: (T,), labels by tier."""
    labelled = np.zeros(tier.size, dtype=np.bool_)
    samples = np.bincount(tier, minlength=given.size)
    for at in np.flatnonzero(given):
        labelled[rng.choice(np.flatnonzero(tier == at), size=given[at], replace=False)] = True
    chance = given / np.maximum(samples, 1)
    return labelled, np.where(chance[tier] > 0, chance[tier], 1.0)
