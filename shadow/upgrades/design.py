"""How is this upgrade shadowed, decided and switched? Fixed when it is proposed, kept with it, part of its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from shadow.configuration.upgrades import UpgradeSettings
from shadow.statistics.upgrade_evidence import UpgradeEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Rates in (0, 1]; names as in the `upgrades` section of the configuration."""

    rate: float
    label_share: float
    margin: float
    alpha: float
    cap_pairs: int
    canary_share: float
    canary_rate: float
    canary_pairs: int
    canary_hours: float

    @classmethod
    def of(cls, settings: UpgradeSettings, *, rate: float | None = None, label_share: float | None = None) -> Self:
        """The configured one, with what the proposer says otherwise."""
        values = {name: getattr(settings, name) for name in cls.__dataclass_fields__}
        values |= {} if rate is None else {"rate": rate}
        values |= {} if label_share is None else {"label_share": label_share}
        return cls(**values)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """As `as_json` wrote it."""
        return cls(**{name: content[name] for name in cls.__dataclass_fields__})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def evidence(self) -> UpgradeEvidence:
        """Both processes, nothing seen yet."""
        return UpgradeEvidence.start(label_inclusion=self.label_share, margin=self.margin)
