"""Under which thresholds, pin and judges was something shown? What evidence is held against when it is approved."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from shadow.settings import Settings
from shadow.store import policies, tier_pins
from shadow.store.engine import AsyncConnection


async def versions_now(connection: AsyncConnection, settings: Settings, tier: str) -> dict[str, Any]:
    """policy, pins: version in force, 0 for none; judges: a fingerprint of who judges and how they are calibrated."""
    policy = await policies.newest(connection)
    pin = await tier_pins.in_force_of(connection, tier)
    return {
        "policy": policy.policy.version if policy else 0,
        "pins": pin.version if pin else 0,
        "judges": judges_fingerprint(settings),
    }


def judges_fingerprint(settings: Settings) -> str:
    """SHA-256 over the section `judges` and the files of the calibration that it names."""
    found = hashlib.sha256(settings.judges.model_dump_json().encode())
    calibration = settings.judges.calibration
    if calibration is not None:
        for path in _files(Path(calibration)):
            found.update(path.name.encode() + b"\x1f" + path.read_bytes())
    return found.hexdigest()


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(child for child in path.rglob("*") if child.is_file())
    return [path] if path.is_file() else []
