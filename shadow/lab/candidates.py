"""Which models could take the place of the lab's middle one, and how good are they really? A better, a like and a worse one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shadow.lab.tasks.contracts import Kind
from shadow.lab.tiers import TIERS, LabTier

_PINNED = TIERS[1]
_NEAR: Mapping[Kind, float] = dict.fromkeys(_PINNED.skill, 0.99)
_FAR: Mapping[Kind, float] = {kind: skill - 0.22 for kind, skill in _PINNED.skill.items()}

#: Scenario -> candidate for the tier `mid`.
CANDIDATES: Mapping[str, LabTier] = {
    "upgrade-better": replace(_PINNED, name="better", model="lab-mid-2026-11-better", skill=_NEAR, slope=0.6),
    "upgrade-same": replace(_PINNED, name="same", model="lab-mid-2026-11-same"),
    "upgrade-worse": replace(_PINNED, name="worse", model="lab-mid-2026-11-worse", skill=_FAR),
}
