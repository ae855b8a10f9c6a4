"""Can the configured scorer decide: is its model whole and made for these tiers, is the model it asks priced?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from router.errors import ConfigInvalid
from router.scorers.choice import scorer_price
from shadow.doctor.findings import Finding, bad, ok
from shadow.settings import Settings

_NAME = "scorer"
_RETRAIN = "train one for these tiers (`shadow train --out DIR`), or set routing.scorer.kind to heuristic"


def scorer(settings: Settings) -> list[Finding]:
    """What the router would find at its start. Cost: that of loading the model."""
    wanted = settings.routing.scorer
    if wanted.kind == "llm":
        return _asked(settings)
    if wanted.kind == "learned" and wanted.model_dir is not None:
        return _learned(Path(wanted.model_dir), settings)
    return [ok(_NAME, "heuristic: a rule of thumb on the text, until `shadow train` has made a model")]


def _learned(directory: Path, settings: Settings) -> list[Finding]:
    from router.scorers.learned import LearnedScorer

    try:
        model = LearnedScorer.load(directory, settings.tier_names).model
    except ConfigInvalid as exc:
        return [bad(_NAME, line, _RETRAIN) for line in exc.problems]
    return [ok(_NAME, f"learned: {directory}, {_provenance(model.provenance)}")]


def _provenance(held: Mapping[str, Any]) -> str:
    rows = (held.get("data") or {}).get("rows", "an unknown number of")
    apgr = (((held.get("held_out") or {}).get("learned") or {}).get("apgr") or {}).get("value")
    said = (
        f"APGR {apgr:.3f} in its own folds (random 0.5)" if isinstance(apgr, float) else "without a figure of its own"
    )
    return f"version {held.get('version', 'unknown')} from {rows} requests, {said}"


def _asked(settings: Settings) -> list[Finding]:
    wanted = settings.routing.scorer
    try:
        rates = scorer_price(settings).rates
    except ConfigInvalid as exc:
        return [bad(_NAME, line.partition(";")[0], line.partition("; ")[2]) for line in exc.problems]
    usd = f"${float(rates.input_usd * 1_000_000):g} in, ${float(rates.output_usd * 1_000_000):g} out per million tokens"
    return [ok(_NAME, f"llm: {wanted.model} at {wanted.provider}, {wanted.deadline_ms} ms at most, {usd}")]
