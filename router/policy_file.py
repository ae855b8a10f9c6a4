"""Which thresholds are in force, and how do new ones reach a running router?

The shadow side writes `policy.json` next to the spool, atomically (a new file, renamed). The router looks at its modification
time every half second and reads it when that changed:

    {"version": 7, "thresholds": {"fast": 0.81}, "band": 0.05, "by_query_type": {"math": {"fast": 0.9}}}

`by_query_type` may be missing, and so may `pins`, a list of what `router.contracts.TierPin` says; further keys are ignored.
Without a file the thresholds of the configuration apply, as version 0.
A file that cannot be read leaves the last good policy in force, and is counted: routing must not depend on whoever writes it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import structlog

from router.contracts import Policy, TierPin
from router.errors import PolicyUnreadable

POLL_SECONDS = 0.5
_Stamp = tuple[int, int, int]

log = structlog.get_logger("router.policy")


class FilePolicySource:
    """A `PolicySource` that follows a file. `current()` works before `start()`: it was read once when this was made."""

    def __init__(self, path: Path, *, tiers: Sequence[str], thresholds: Mapping[str, float], band: float) -> None:
        self._path = path
        self._lower_tiers = tuple(tiers[:-1])
        self._configured = Policy(version=0, thresholds=dict(thresholds), band=band)
        self._policy = self._configured
        self._seen: _Stamp | None = None
        self._task: asyncio.Task[None] | None = None
        self.failures = 0
        self.refresh()

    def current(self) -> Policy:
        return self._policy

    async def start(self) -> None:
        self._task = asyncio.create_task(self._follow(), name="policy-file")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def refresh(self) -> None:
        """Read the file if it changed. Never raises."""
        try:
            status = os.stat(self._path)  # noqa: PTH116 - half a microsecond matters less than one exact meaning
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if stamp == self._seen:
                return
            self._seen = stamp
            policy = parse_policy(self._path.read_bytes(), self._lower_tiers, self._configured.band)
        except FileNotFoundError:
            if self._seen is not None:
                self._seen, self._policy = None, self._configured
                log.info("policy.withdrawn", version=0)
            return
        except (OSError, PolicyUnreadable) as error:
            self.failures += 1
            log.warning("policy.unreadable", error=str(error), kept_version=self._policy.version)
            return
        if policy != self._policy:
            own = sorted(policy.by_query_type)
            thresholds = dict(policy.thresholds)
            log.info("policy.adopted", version=policy.version, thresholds=thresholds, band=policy.band, own=own)
            self._policy = policy

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self.refresh()


def parse_policy(content: bytes, lower_tiers: Sequence[str], configured_band: float) -> Policy:
    """A policy file's content. Thresholds of tiers that are not configured are ignored. Raises: PolicyUnreadable."""
    try:
        fields = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise PolicyUnreadable(f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise PolicyUnreadable("not a JSON object")
    version, thresholds = fields.get("version"), fields.get("thresholds")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise PolicyUnreadable("version must be a whole number from 1")
    by_query_type = fields.get("by_query_type", {})
    if not isinstance(by_query_type, dict):
        raise PolicyUnreadable("by_query_type must be an object")
    return Policy(
        version=version,
        thresholds=_thresholds(thresholds, lower_tiers, "thresholds"),
        band=_number(fields.get("band", configured_band), "band", most=1),
        by_query_type={
            query_type: _thresholds(own, lower_tiers, f"by_query_type.{query_type}")
            for query_type, own in by_query_type.items()
        },
        pins=_pins(fields.get("pins", [])),
    )


def _pins(value: Any) -> tuple[TierPin, ...]:
    if not isinstance(value, list) or not all(isinstance(pin, dict) for pin in value):
        raise PolicyUnreadable("pins must be a list of objects")
    return tuple(_pin(pin, f"pins[{place}]") for place, pin in enumerate(value))


def _pin(value: dict[str, Any], name: str) -> TierPin:
    try:
        configured = value["configured"]
        pin = TierPin(
            version=int(value["version"]),
            upgrade_id=int(value["upgrade_id"]),
            tier=str(value["tier"]),
            configured=(str(configured["provider"]), str(configured["model"])),
            pinned=value.get("pinned"),
            candidate=value.get("candidate"),
            share=_number(value.get("share", 0.0), f"{name}.share", most=1),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PolicyUnreadable(f"{name}: {error} is missing or of a wrong kind") from error
    if not all(spec is None or isinstance(spec, dict) for spec in (pin.pinned, pin.candidate)):
        raise PolicyUnreadable(f"{name}: pinned and candidate must be objects or null")
    return pin


def _thresholds(value: Any, lower_tiers: Sequence[str], name: str) -> dict[str, float]:
    if not isinstance(value, dict):
        raise PolicyUnreadable(f"{name} must be an object")
    missing = [tier for tier in lower_tiers if tier not in value]
    if missing:
        raise PolicyUnreadable(f"{name}: no threshold for tier {missing[0]}")
    return {tier: _number(value[tier], f"{name}.{tier}", most=2) for tier in lower_tiers}


def _number(value: Any, name: str, *, most: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise PolicyUnreadable(f"{name} must be a number from 0 to {most}")
    return float(value)
