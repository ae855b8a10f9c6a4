"""What do raw rows say, without roll-ups? Every row of a window is read and summed in numpy: the other way to the estimates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import product
from typing import Any

import numpy as np
import psycopg

from shadow.reports.bands import BAND_INDEX
from shadow.statistics.pair_sums import PairSums, pair_sums_of
from shadow.statistics.strata import Strata, Stratum
from shadow.statistics.sums import Samples, Sums, sums_by_group

KEYS = ("tier", "model", "query_type", "feature", "band")
_EXCHANGES = """
SELECT served_tier, served_model, query_type, coalesce(feature, ''), band, cost_usd::float8 FROM exchanges
WHERE started_at >= %s AND started_at < %s AND mode = %s AND status = 'answered'
"""
_SAMPLES = """
SELECT s.served_tier, s.served_model, s.query_type, s.feature, s.band, s.pi, s.eta, s.state, s.arm, s.label_drawn,
       a.probability, a.cost_usd::float8,
       (SELECT r.cost_usd::float8 FROM answers r WHERE r.request_id = s.request_id AND r.tier = s.reference_tier AND r.repeat = 0
        AND NOT r.served AND r.outcome = 'ok'),
       (SELECT l.label FROM labels l WHERE l.request_id = s.request_id AND l.tier = s.served_tier AND l.repeat = 0)
FROM samples s JOIN answers a ON a.request_id = s.request_id AND a.served
WHERE s.started_at >= %s AND s.started_at < %s AND s.mode = %s AND s.counts_for_accuracy
"""


class RawWindow:
    """Raw rows of a window as columns, requests of one mode."""

    def __init__(
        self, connection: psycopg.Connection[Any], since: datetime, until: datetime, mode: str = "route"
    ) -> None:
        window = (since, until, mode)
        *keys, costs = _columns(connection.execute(_EXCHANGES, window).fetchall(), 6)
        self._exchanges = dict(zip(KEYS, keys, strict=True))
        self._costs = np.array(costs, dtype=float)
        columns = _columns(connection.execute(_SAMPLES, window).fetchall(), 14)
        self._samples = dict(zip(KEYS, columns, strict=False))
        pi, eta, state, arm, drawn, p, served, reference, label = columns[5:]
        known = np.array([one is not None for one in p], dtype=bool)
        told = np.array([d and y is not None for d, y in zip(drawn, label, strict=True)], dtype=bool)
        priced = np.array([a == "up" and c is not None for a, c in zip(arm, reference, strict=True)], dtype=bool)
        states = np.array(state, dtype=object)
        self._rows = {
            "inclusion": np.array(pi, dtype=float),
            "decided": known,
            "probability": np.array([one or 0.0 for one in p], dtype=float),
            "labelled": told,
            "label": np.array([float(y or 0) for y in label]),
            "label_inclusion": np.array(eta, dtype=float),
            "mirrored": np.isin(states, ("mirrored", "judged", "abstained")),
            "abstained": (states == "abstained") & ~known,
            "failed": np.isin(states, ("failed", "shed")) & ~known,
            "priced": priced,
            "reference_cost_usd": np.array([one or 0.0 for one in reference], dtype=float),
            "served_cost_usd": np.array(served, dtype=float),
        }

    def slices(self, by: Sequence[str]) -> Iterator[tuple[tuple[str, ...], Strata]]:
        """Every value of `by` (of KEYS) with its strata."""
        names = (*by, "tier", "query_type", "band")
        keys = [tuple(row) for row in zip(*(self._exchanges[name] for name in names), strict=True)]
        of_samples = [tuple(row) for row in zip(*(self._samples[name] for name in names), strict=True)]
        number = {key: i for i, key in enumerate(dict.fromkeys([*keys, *of_samples]))}
        matrix = sums_by_group(
            Samples(**self._rows),
            np.array([number[key] for key in of_samples], dtype=np.int64),
            groups=len(number),
            costs_usd=self._costs,
            cost_group=np.array([number[key] for key in keys], dtype=np.int64),
        )
        found: dict[tuple[str, ...], dict[Stratum, Sums]] = {}
        for key, row in number.items():
            stratum = Stratum(tier=key[-3], query_type=key[-2], band=BAND_INDEX[key[-1]])
            found.setdefault(key[: len(by)], {})[stratum] = Sums.from_vector(matrix[row])
        yield from found.items()


def raw_pairs(
    connection: psycopg.Connection[Any], since: datetime, until: datetime, mode: str = "route"
) -> dict[tuple[str, str, str], PairSums]:
    """(served tier, other tier, arm) -> sums, from samples, answers and labels read row by row."""
    window = (since, until, mode)
    within = "SELECT request_id FROM samples WHERE started_at >= %s AND started_at < %s AND mode = %s"
    answers = {
        (str(request_id), tier): probability
        for request_id, tier, probability in connection.execute(
            f"SELECT request_id, tier, probability FROM answers WHERE repeat = 0 AND outcome = 'ok' AND request_id IN ({within})",
            window,
        )
    }
    labels = {
        (str(request_id), tier): label
        for request_id, tier, label in connection.execute(
            f"SELECT request_id, tier, label FROM labels WHERE repeat = 0 AND request_id IN ({within})",
            window,
        )
    }
    rows: dict[tuple[str, str, str], list[tuple[float, float | None, float | None, float]]] = {}
    query = "SELECT request_id, served_tier, reference_tier, arm, plan, eta, label_drawn FROM samples "
    for request_id, served, reference, arm, plan, eta, drawn in connection.execute(
        query + "WHERE started_at >= %s AND started_at < %s AND mode = %s", window
    ):
        planned = {tier for tier, repeat, _ in plan if repeat == 0}
        held_against = reference if reference == served or reference in planned else plan[0][0]

        def p(tier: str, key: str = str(request_id), against: str = held_against) -> float | None:
            if (key, tier) not in answers:
                return None
            return 1.0 if tier == against else answers[key, tier]

        for tier, repeat, pi in plan:
            if repeat == 0 and tier != served:
                pair = p(tier), p(served)
                said = labels.get((str(request_id), tier)), labels.get((str(request_id), served))
                d = None if None in pair else pair[0] - pair[1]  # type: ignore[operator]
                y = None if None in said or not drawn else float(said[0] - said[1])  # type: ignore[operator]
                rows.setdefault((served, tier, arm), []).append((pi, d, y, eta))
    return {key: _pair_sums(found) for key, found in rows.items()}


def _pair_sums(rows: list[tuple[float, float | None, float | None, float]]) -> PairSums:
    pi, d, y, eta = zip(*rows, strict=True)
    return pair_sums_of(
        inclusion=np.array(pi),
        judged=np.array([one is not None for one in d]),
        judged_loss=np.array([one or 0.0 for one in d]),
        labelled=np.array([one is not None for one in y]),
        label_loss=np.array([one or 0.0 for one in y]),
        label_inclusion=np.array(eta),
    )


def _columns(rows: list[Any], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def every_slice() -> list[tuple[str, ...]]:
    """All combinations of keys, from none to all."""
    return [
        tuple(k for k, used in zip(KEYS, mask, strict=True) if used)
        for mask in product((False, True), repeat=len(KEYS))
    ]
