"""What exactly is approved? The evidence as canonical JSON with its SHA-256, and whether it still holds when somebody decides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shadow.errors import RefusedError
from shadow.store.upgrades import UpgradeRow
from shadow.upgrades.design import Design
from shadow.upgrades.figures import verdict_of
from shadow.upgrades.pairs import Pair, digest

FORMAT = 1
_VERSIONS = {
    "policy": "the threshold policy in force is another one",
    "pins": "the tier's pin is another one",
    "judges": "judges or their calibration are others",
}


def freeze(
    row: UpgradeRow,
    pairs: Sequence[Pair],
    figures: Mapping[str, Any],
    versions: Mapping[str, Any],
    *,
    judges: Sequence[str],
    now: datetime,
) -> tuple[str, str]:
    """(canonical JSON, SHA-256 of its UTF-8 bytes). versions: of policy, pins and judges, as they were then. judges: each
    judge@version that had a say."""
    content = {
        "format": FORMAT,
        "upgrade": {
            "id": row.id,
            "tier": row.tier,
            "pinned": dict(row.pinned),
            "candidate": dict(row.candidate),
            "design": dict(row.design),
            "proposed_by": row.proposed_by,
            "proposed_at": row.created_at.isoformat(),
            "reason": row.reason,
        },
        "window": {"from": pairs[0].started_at.isoformat(), "to": pairs[-1].started_at.isoformat()} if pairs else None,
        "figures": figures,
        "judges": {
            "panels": sorted({pair.panel for pair in pairs if pair.panel}),
            "cards": {judge: f"docs/judges/{judge.partition('@')[0]}.md" for judge in judges},
        },
        "versions": dict(versions),
        "frozen_at": now.isoformat(),
    }
    text = canonical(content)
    return text, sha256(text)


def check(
    row: UpgradeRow, pairs: Sequence[Pair], versions: Mapping[str, Any], *, now: datetime, max_age_days: float
) -> None:
    """Raises: RefusedError where the evidence was tampered with, or is stale. versions: those in force now."""
    if row.evidence is None or row.evidence_sha256 is None or row.evidence_at is None:
        raise RefusedError(f"upgrade {row.id} has no evidence yet: it is {row.state}")
    if sha256(row.evidence) != row.evidence_sha256:
        raise RefusedError(f"upgrade {row.id}: the evidence was changed after it was frozen (its SHA-256 differs)")
    content = json.loads(row.evidence)
    figures = content["figures"]
    if digest(pairs) != figures["pairs"]["sha256"]:
        raise RefusedError(f"upgrade {row.id}: the pairs are not those that the evidence was computed from")
    if verdict_of(pairs, Design.from_json(content["upgrade"]["design"])) != figures["verdict"]:
        raise RefusedError(f"upgrade {row.id}: computed again, the pairs do not give the verdict of the evidence")
    if (why := staleness(row, versions, now=now, max_age_days=max_age_days)) is not None:
        raise RefusedError(f"upgrade {row.id}: the evidence is stale: {why}; propose it again")


def staleness(row: UpgradeRow, versions: Mapping[str, Any], *, now: datetime, max_age_days: float) -> str | None:
    """Why the evidence holds no longer; None while it does."""
    if row.evidence is None or row.evidence_at is None:
        return None
    then = json.loads(row.evidence)["versions"]
    for name, why in _VERSIONS.items():
        if then.get(name) != versions.get(name):
            return f"{why} ({_short(then.get(name))} then, {_short(versions.get(name))} now)"
    if now - row.evidence_at > timedelta(days=max_age_days):
        return f"it is older than {max_age_days:g} days"
    return None


def canonical(content: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no blanks: the same content is the same text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _short(version: object) -> str:
    return str(version)[:12]
