"""Which slices are estimated apart, and which are too small to stand alone?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shadow.statistics.sums import SUM_FIELDS, FloatArray, Sums

MIN_STRATUM_SAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Stratum:
    """A cell with a known number of requests. band: index of the confidence band, neighbours differ by one."""

    tier: str
    query_type: str = ""
    band: int = 0


Strata = Mapping[Stratum, Sums]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Collapsed strata: one row of sums per cell, shape (cells, len(SUM_FIELDS)), and the tier of each."""

    matrix: FloatArray
    tiers: tuple[str, ...]

    def __getitem__(self, field: str) -> FloatArray:
        column: FloatArray = self.matrix[:, _INDEX[field]]
        return column

    def of(self, tiers: Sequence[str]) -> Cells:
        """The cells of these tiers only."""
        rows = [row for row, tier in enumerate(self.tiers) if tier in tiers]
        return Cells(matrix=self.matrix[rows], tiers=tuple(self.tiers[row] for row in rows))


_INDEX = {name: index for index, name in enumerate(SUM_FIELDS)}


def collapse(strata: Strata, *, count: str = "sampled", least: int = MIN_STRATUM_SAMPLES) -> Cells:
    """Merge strata with fewer than `least` samples with the neighbouring band, then with other query types, then
    with the whole tier.

    count: the field that is counted, `sampled` or `judged`. A tier is never merged with another: their accuracies
    differ by design. Strata without requests and samples vanish. The sums over a tier stay what they were.
    """
    keys = sorted(key for key, sums in strata.items() if sums.requests > 0 or sums.sampled > 0)
    counts = [getattr(strata[key], count) for key in keys]
    rows: list[FloatArray] = []
    tiers: list[str] = []
    for tier in dict.fromkeys(key.tier for key in keys):
        of_types: dict[str, list[int]] = {}
        for index, key in enumerate(keys):
            if key.tier == tier:
                of_types.setdefault(key.query_type, []).append(index)
        banded = [_merge_neighbours([[i] for i in members], counts, least) for members in of_types.values()]
        for cell in _pool_small([cell for cells in banded for cell in cells], counts, least):
            rows.append(np.sum([strata[keys[i]].vector() for i in cell], axis=0))
            tiers.append(tier)
    matrix = np.array(rows) if rows else np.zeros((0, len(SUM_FIELDS)))
    return Cells(matrix=matrix, tiers=tuple(tiers))


def _size(cell: list[int], counts: Sequence[float]) -> float:
    return sum(counts[i] for i in cell)


def _merge_neighbours(cells: list[list[int]], counts: Sequence[float], least: int) -> list[list[int]]:
    """Join each band that is too small with its smaller neighbour until all are large enough or one is left."""
    while len(cells) > 1:
        sizes = [_size(cell, counts) for cell in cells]
        smallest = min(range(len(cells)), key=sizes.__getitem__)
        if sizes[smallest] >= least:
            break
        around = [i for i in (smallest - 1, smallest + 1) if 0 <= i < len(cells)]
        first, second = sorted((smallest, min(around, key=sizes.__getitem__)))
        cells = [*cells[:first], cells[first] + cells[second], *cells[second + 1 :]]
    return cells


def _pool_small(cells: list[list[int]], counts: Sequence[float], least: int) -> list[list[int]]:
    """Join query types that are too small with each other; if still too small, with the tier's smallest other cell."""
    large = [cell for cell in cells if _size(cell, counts) >= least]
    pool = [i for cell in cells if _size(cell, counts) < least for i in cell]
    if not pool:
        return large
    if large and _size(pool, counts) < least:
        host = min(range(len(large)), key=lambda i: _size(large[i], counts))
        large[host] = large[host] + pool
        return large
    return [*large, pool]
