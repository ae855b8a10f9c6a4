"""Which stratum does a slice of the roll-ups fall into?"""

from __future__ import annotations

from collections.abc import Sequence

from router.contracts import BANDS
from shadow.statistics.strata import Strata, Stratum
from shadow.statistics.sums import Sums
from shadow.store.rollups import Slice

#: Position of each confidence band, neighbours differ by one.
BAND_INDEX = {name: index for index, (_, name) in enumerate(reversed(BANDS))}


def strata_of(slices: Sequence[Slice]) -> Strata:
    """Strata by tier, query type and band, as the estimators want them."""
    strata: dict[Stratum, Sums] = {}
    for piece in slices:
        key = Stratum(tier=piece.tier, query_type=piece.query_type or "", band=BAND_INDEX.get(piece.band or "", 0))
        strata[key] = strata[key] + piece.sums if key in strata else piece.sums
    return strata
