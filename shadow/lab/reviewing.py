"""How do the simulated reviewer's labels get into the store? As a person's would: drawn samples only, one by one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shadow.lab.reviewer import SimulatedReviewer
from shadow.lab.seeds import derive
from shadow.store import labels
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.labels import Label

BATCH = 200


async def check_on_gold(engine: AsyncEngine, reviewer: SimulatedReviewer, n: int, *, seed: int) -> None:
    """Let the reviewer label `n` items of known truth, so that the labels' own error is known."""
    found = reviewer.gold_check(n, np.random.default_rng(derive(seed, "gold")))
    counts = {(0, 1): found.false_accepts, (0, 0): found.gold_bad - found.false_accepts}
    counts |= {(1, 0): found.false_rejects, (1, 1): found.gold_good - found.false_rejects}
    answers = [pair for pair, count in counts.items() for _ in range(count)]
    checks = [(f"gold-{i:05d}", truth, label) for i, (truth, label) in enumerate(answers)]
    async with engine.begin() as connection:
        await labels.save_gold_checks(connection, reviewer.name, checks)


async def label_waiting(engine: AsyncEngine, reviewer: SimulatedReviewer, truths: Mapping[str, bool]) -> int:
    """Label the served answers that were drawn for a reviewer; returns how many. truths: request id -> was it right?"""
    async with engine.begin() as connection:
        waiting = [i for i in await labels.waiting_for_label(connection, BATCH) if i in truths]
        for request_id in waiting:
            label = Label(
                sample_id=request_id,
                which="served",
                label=reviewer.label(request_id, "served", truths[request_id]),
                reviewer=reviewer.name,
                labelled_at=utc_now(),
            )
            await labels.save_label(connection, label)
    return len(waiting)
