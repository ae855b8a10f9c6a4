"""What would a change of the thresholds change, and does the result fit the configured tiers?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from router.contracts import Policy
from shadow.errors import ConfigError

#: What a policy file may hold: the two that count, and what `shadow policy show --json` prints beside them.
_KNOWN = ("thresholds", "band", "version", "author", "origin", "reason", "created_at", "in_force")


def read_change(path: Path) -> tuple[dict[str, float], float | None]:
    """Thresholds and band of a file in YAML or JSON, as `shadow policy show --json` prints them. Raises: ConfigError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: cannot be read: {getattr(exc, 'strerror', None) or exc}") from None
    except yaml.YAMLError as exc:
        raise ConfigError(f"{path}: neither YAML nor JSON: {getattr(exc, 'problem', exc)}") from None
    if not isinstance(content, dict) or not isinstance(content.get("thresholds"), dict):
        raise ConfigError(f"{path}: must hold `thresholds`, a mapping of tier to number, and may hold `band`")
    for key in content:
        if key not in _KNOWN:
            raise ConfigError(f"{path}: {key}: unknown key; known are thresholds and band")
    thresholds = {
        str(tier): share(value, f"{path}: thresholds.{tier}") for tier, value in content["thresholds"].items()
    }
    band = content.get("band")
    return thresholds, None if band is None else share(band, f"{path}: band")


def share(value: Any, name: str) -> float:
    """A number from 0 to 1. Raises: ConfigError that names it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"{name}: must be a number from 0 to 1, found {value!r}")
    return float(value)


def changed(
    current: Policy, tiers: Sequence[str], thresholds: Mapping[str, float], band: float | None
) -> tuple[dict[str, float], float]:
    """Thresholds and band after the change: what is not named stays, tiers that are gone are left out.

    Raises: ConfigError for an unknown tier, the top tier, or one that is left without a threshold.
    """
    lower, top = tiers[:-1], tiers[-1]
    for tier in thresholds:
        if tier == top:
            raise ConfigError(f"{tier!r} is the top tier: it takes what is left and has no threshold")
        if tier not in lower:
            raise ConfigError(f"unknown tier {tier!r}; tiers with a threshold are {', '.join(lower)}")
    merged = {**current.thresholds, **thresholds}
    for tier in lower:
        if tier not in merged:
            raise ConfigError(
                f"no threshold for tier {tier!r}: name one with `shadow policy apply --threshold {tier}=...`"
            )
    return {tier: merged[tier] for tier in lower}, current.band if band is None else band


def difference(
    old: Policy, thresholds: Mapping[str, float], band: float
) -> list[tuple[str, float | None, float | None]]:
    """(what, before, after) of all that differs; None where it is not there."""
    names = list(dict.fromkeys([*thresholds, *old.thresholds]))
    pairs = [(name, old.thresholds.get(name), thresholds.get(name)) for name in names]
    return [entry for entry in (*pairs, ("band", old.band, band)) if entry[1] != entry[2]]
