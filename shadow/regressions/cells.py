"""How do the rows of several weeks become cells that can be held against each other?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shadow.statistics.moments import MOMENTS, Moments
from shadow.statistics.sums import FloatArray, IntArray
from shadow.store.cell_sums import CellRow

#: What a marginal is about, in the order in which they are told.
KINDS = ("all", "tier", "query_type", "feature")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cell:
    """What is held against what it was. kind: cell, or which marginal; parts that it does not go by are None."""

    kind: str
    tier: str | None = None
    query_type: str | None = None
    feature: str | None = None

    @property
    def parts(self) -> dict[str, str]:
        """The parts that it goes by."""
        named = {"tier": self.tier, "query_type": self.query_type, "feature": self.feature}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """k cells over the weeks. weeks: moments of each week, the last one being now; requests, sampled: shape (weeks, k).
    models: (week is now, cell, model) -> requests."""

    cells: tuple[Cell, ...]
    weeks: tuple[Moments, ...]
    requests: FloatArray
    sampled: FloatArray
    models: dict[tuple[bool, int, str], float]

    @property
    def now(self) -> Moments:
        return self.weeks[-1]

    @property
    def before(self) -> Moments:
        """All weeks but the last, added up."""
        total = self.weeks[0]
        for week in self.weeks[1:-1]:
            total = total + week
        return total


def leaves(weeks: Sequence[Sequence[CellRow]]) -> Table:
    """The disjoint cells. weeks: rows of each week, oldest first, the last being now; at least two."""
    cells = sorted(
        {Cell(kind="cell", tier=r.tier, query_type=r.query_type, feature=r.feature) for rows in weeks for r in rows}
    )
    places = {(cell.tier, cell.query_type, cell.feature): at for at, cell in enumerate(cells)}
    requests, sampled = np.zeros((len(weeks), len(cells))), np.zeros((len(weeks), len(cells)))
    models: dict[tuple[bool, int, str], float] = {}
    moments = []
    for week, rows in enumerate(weeks):
        columns = {name: np.zeros(len(cells)) for name in MOMENTS}
        for row in rows:
            at = places[row.tier, row.query_type, row.feature]
            requests[week, at] += row.requests
            sampled[week, at] += row.sampled
            for name, column in columns.items():
                column[at] += getattr(row, name)
            if row.model and row.requests:
                key = (week == len(weeks) - 1, at, row.model)
                models[key] = models.get(key, 0.0) + row.requests
        moments.append(Moments(**columns))
    return Table(cells=tuple(cells), weeks=tuple(moments), requests=requests, sampled=sampled, models=models)


def marginals(table: Table) -> Table:
    """Everything, and each tier, query type and feature over all else; a part of which there is only one value is left out."""
    groups: list[tuple[Cell, IntArray]] = []
    everything = np.arange(len(table.cells))
    for kind in KINDS:
        if kind == "all":
            groups.append((Cell(kind="all"), everything))
            continue
        values = [getattr(cell, kind) for cell in table.cells]
        names = sorted(set(values))
        for name in names if len(names) > 1 else ():
            own = np.array([at for at, value in enumerate(values) if value == name])
            groups.append((Cell(kind=kind, **{kind: name}), own))

    def added(column: FloatArray) -> FloatArray:
        return np.array([float(column[own].sum()) for _, own in groups])

    models: dict[tuple[bool, int, str], float] = {}
    for at, (_, own) in enumerate(groups):
        members = set(own.tolist())
        for (is_now, leaf, model), requests in table.models.items():
            if leaf in members:
                models[is_now, at, model] = models.get((is_now, at, model), 0.0) + requests
    return Table(
        cells=tuple(cell for cell, _ in groups),
        weeks=tuple(Moments(**{name: added(getattr(week, name)) for name in MOMENTS}) for week in table.weeks),
        requests=np.stack([added(row) for row in table.requests]),
        sampled=np.stack([added(row) for row in table.sampled]),
        models=models,
    )
