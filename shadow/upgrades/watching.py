"""Does the candidate do worse than the pinned model on the requests that it serves? Verdicts alone: going back is cheap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shadow.statistics.upgrade_evidence import UpgradeEvidence
from shadow.upgrades.design import Design
from shadow.upgrades.figures import mean_gain, worst_pairs
from shadow.upgrades.pairs import Pair


def canary_figures(pairs: Sequence[Pair], design: Design) -> dict[str, Any]:
    """pairs: of the canary's time, in request order. harmed: the e-process against "it is not worse" has fired at alpha."""
    said = np.array([pair.z for pair in pairs if pair.z is not None], dtype=float)
    harm = UpgradeEvidence.start(margin=design.margin).advance(said).harm
    return {
        "pairs": len(pairs),
        "judged": int(said.size),
        "difference": mean_gain([pair for pair in pairs if pair.z is not None], corrected=False),
        "harm_p_value": float(f"{harm.p_value:.9g}"),
        "harmed": harm.fired(design.alpha),
        "worst_pairs": worst_pairs(pairs),
    }
