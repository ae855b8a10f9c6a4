"""What do judges say of the logged answers? Each is judged once, and its verdict looked up in every window that draws it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from judges.contracts import Comparison
from judges.panel import Panel
from shadow.outcome_file import OutcomeRow
from shadow.replay.population import Floats

_BATCH = 64


def comparable(row: OutcomeRow) -> list[int]:
    """The tiers whose answer can be held against the top tier's."""
    if row.completions[-1] is None:
        return []
    return [at for at, said in enumerate(row.completions[:-1]) if said is not None]


async def panel_verdicts(panel: Panel, rows: Sequence[OutcomeRow], done: Callable[[int, int], None]) -> Floats:
    """The panel's probability that each answer is acceptable, shape (rows, tiers), NaN where it abstains.

    Answers below the top are held against the top tier's, as a mirror would; a top answer has no second one in a file, so it is
    held against nothing, and where a text is missing there is no verdict. done: told (comparisons done, all).
    """
    found = np.full((len(rows), len(rows[0].tiers)), np.nan)
    places = [(at, tier) for at, row in enumerate(rows) for tier in comparable(row)]
    places += [(at, len(row.tiers) - 1) for at, row in enumerate(rows) if row.completions[-1] is not None]
    for start in range(0, len(places), _BATCH):
        batch = places[start : start + _BATCH]
        said = await panel.judge([_comparison(rows[at], tier) for at, tier in batch])
        for place, judged in zip(batch, said, strict=True):
            if judged.probability is not None:
                found[place] = judged.probability
        done(min(start + _BATCH, len(places)), len(places))
    return found


def _comparison(row: OutcomeRow, tier: int) -> Comparison:
    is_top = tier == len(row.tiers) - 1
    return Comparison(
        prompt=row.features.text,
        answer=row.completions[tier] or "",
        reference=None if is_top else row.completions[-1],
        query_type=row.query_type,
    )
