"""Which calibration do these labelled pairs make, and what does its file say of them?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from judges.calibration import Calibration, write_calibration
from judges.fitting import fit_calibration
from judges.panel import Panel
from judges.verdicts import Target
from shadow.judging.pair_file import Pair


async def fit_pairs(
    panel: Panel,
    pairs: Sequence[Pair],
    directory: Path,
    *,
    source: str,
    target: Target,
    now: datetime,
    more: Mapping[str, Any] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Calibration:
    """Fit on the labelled ones, write it into the directory, and return it. source: what a pair without `dataset` comes from.

    more: further provenance. Rows of one question count as one group. Raises: NotEnoughLabels, BadCalibration.
    """
    labelled = [(pair, pair.label) for pair in pairs if pair.label is not None]
    sets: dict[str, int] = {}
    for pair, _ in labelled:
        name = str(pair.record.get("dataset") or source)
        sets[name] = sets.get(name, 0) + 1
    calibration = await fit_calibration(
        panel,
        [pair.comparison for pair, _ in labelled],
        [label for _, label in labelled],
        groups=[pair.cluster for pair, _ in labelled],
        target=target,
        provenance={
            "datasets": dict(sorted(sets.items())),
            "labels": len(labelled),
            "acceptable": sum(label for _, label in labelled),
            "fitted_on": now.date().isoformat(),
            **(more or {}),
        },
        progress=progress,
    )
    write_calibration(calibration, directory)
    return calibration
