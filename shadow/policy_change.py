"""What would a change of the thresholds change, and does the result fit the configured tiers?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from router.contracts import Policy
from shadow.errors import ConfigError

#: What a policy file may hold: the two that count, and what `shadow policy show --json` prints beside them.
_KNOWN = ("thresholds", "band", "by_query_type", "version", "author", "origin", "reason", "created_at", "in_force")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be different. thresholds: those named; band: None leaves it. by_query_type: of the query types named, each with
    the tiers named; an empty mapping takes a query type's own thresholds away."""

    thresholds: Mapping[str, float] = field(default_factory=dict)
    band: float | None = None
    by_query_type: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def read_change(path: Path) -> Change:
    """What a file in YAML or JSON says, as `shadow policy show --json` prints it. Raises: ConfigError."""
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
    by_query_type = content.get("by_query_type") or {}
    if not isinstance(by_query_type, dict) or not all(isinstance(own, dict) for own in by_query_type.values()):
        raise ConfigError(f"{path}: by_query_type: must map query types to mappings of tier to number")
    band = content.get("band")
    return Change(
        thresholds=_numbers(content["thresholds"], f"{path}: thresholds"),
        band=None if band is None else number(band, f"{path}: band", most=1),
        by_query_type={str(t): _numbers(own, f"{path}: by_query_type.{t}") for t, own in by_query_type.items()},
    )


def _numbers(values: Mapping[Any, Any], name: str) -> dict[str, float]:
    return {str(tier): number(value, f"{name}.{tier}") for tier, value in values.items()}


def number(value: Any, name: str, *, most: int = 2) -> float:
    """A number from 0 to `most`; a threshold above 1 is one that no request reaches. Raises: ConfigError that names it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ConfigError(f"{name}: must be a number from 0 to {most}, found {value!r}")
    return float(value)


def changed(current: Policy, tiers: Sequence[str], change: Change) -> Policy:
    """The policy after the change, under the same version: what is not named stays, tiers that are gone are left out.

    Raises: ConfigError for an unknown tier, the top tier, or one that is left without a threshold.
    """
    thresholds = _merged(current.thresholds, change.thresholds, tiers)
    kept = {t: _merged(own, {}, tiers) for t, own in current.by_query_type.items() if t not in change.by_query_type}
    named = {
        t: _merged(current.by_query_type.get(t, thresholds), own, tiers)
        for t, own in change.by_query_type.items()
        if own
    }
    return Policy(
        version=current.version,
        thresholds=thresholds,
        band=current.band if change.band is None else change.band,
        by_query_type={**kept, **named},
    )


def _merged(before: Mapping[str, float], named: Mapping[str, float], tiers: Sequence[str]) -> dict[str, float]:
    lower, top = tiers[:-1], tiers[-1]
    for tier in named:
        if tier == top:
            raise ConfigError(f"{tier!r} is the top tier: it takes what is left and has no threshold")
        if tier not in lower:
            raise ConfigError(f"unknown tier {tier!r}; tiers with a threshold are {', '.join(lower)}")
    merged = {**before, **named}
    for tier in lower:
        if tier not in merged:
            raise ConfigError(
                f"no threshold for tier {tier!r}: name one with `shadow policy apply --threshold {tier}=...`"
            )
    return {tier: merged[tier] for tier in lower}


def difference(old: Policy, new: Policy) -> list[tuple[str, float | None, float | None]]:
    """(what, before, after) of all that differs, a query type's own thresholds as `type/tier`; None where it is not there."""
    before, after = _flat(old), _flat(new)
    names = dict.fromkeys([*after, *before])
    return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def _flat(policy: Policy) -> dict[str, float]:
    own = {f"{t}/{tier}": value for t, values in policy.by_query_type.items() for tier, value in values.items()}
    return {**policy.thresholds, "band": policy.band, **own}
