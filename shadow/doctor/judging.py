"""Can the panel judge: are its packages and weights there, and has the LLM judge a price and a key?"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from importlib import metadata

from judges.embedding import find_weights
from judges.engines import int8_installed
from judges.errors import JudgeUnavailable
from judges.panel import Panel
from judges.registry import PAID
from judges.verdicts import ANY
from shadow.doctor.findings import Finding, bad, ok, warn
from shadow.judging.kinship import Kinship
from shadow.judging.panels import panels_of
from shadow.settings import Settings

EXTRA = "install it: `pip install torch==2.13.0` from PyTorch's CPU index, then `pip install 'shadowtier[judges]'`"
_NEEDED = {"torch": "torch", "sentence_transformers": "sentence-transformers"}


def judges(settings: Settings, environ: Mapping[str, str]) -> list[Finding]:
    """Who of the panel can judge. Loads no model."""
    panels = panels_of(settings, environ)  # raises what is wrong with the calibration, the LLM judge's price or its key
    return [*(_judge(name, settings) for name in settings.judges.panel), _calibration(panels.free)]


def _calibration(panel: Panel) -> Finding:
    """Whether verdicts hold what they are to hold, and by whose labels."""
    what, found = "judge calibration", panel.calibration.certificate
    labels = panel.calibration.labels.get(ANY, 0)
    if found is not None and panel.certificate is not None:
        promise = f"agreement {found.target.agreement:g} with confidence {found.target.confidence:g}"
        return ok(what, f"{promise}, certified on {labels} labels; for other query types thresholds are cautious")
    remedy = (
        "fit it on your labels: `shadow judge --from-store --fit DIR --target-agreement A`, then set judges.calibration"
    )
    if found is None:
        return warn(what, "certifies nothing: verdicts are cautious, agreement with people is not known", remedy)
    said = f"certified for agreement {found.target.agreement:g} with confidence {found.target.confidence:g}"
    return warn(what, f"{said}, less than judges.target_agreement and target_confidence: it does not count", remedy)


def _judge(name: str, settings: Settings) -> Finding:
    what = f"judge {name}"
    if name == "semantic":
        return _semantic(what)
    if name in PAID:
        return _asking(what, settings)
    return ok(what, "can run")


def _asking(what: str, settings: Settings) -> Finding:
    """Whether an LLM judge has a model that is no kin of the answers it will see."""
    judging = settings.judges
    asked = ", ".join(f"{model.model} at {model.provider}" for model in judging.asked)
    said = f"asks {asked}, up to ${judging.budget_usd_per_day:g} a day"
    if judging.allow_same_family:
        return ok(what, said)
    kinship = Kinship(settings)
    served = [kinship.of(entry.model) for tier in settings.tiers for entry in tier.models]
    kin = [m.model for m in judging.asked if any(kinship.of(m.model) & family for family in served)]
    if kin:
        remedy = "take a model of a family that serves no tier, or set judges.allow_same_family"
        return warn(what, f"{said}; not about answers of the same family: {', '.join(kin)}", remedy)
    if kinship.untold:
        remedy = "say it in judges.families; until then each counts as a family of its own"
        return warn(what, f"{said}; nobody can tell the family of {', '.join(kinship.untold)}", remedy)
    return ok(what, said)


def _semantic(what: str) -> Finding:
    if int8_installed():
        return ok(
            what, f"onnxruntime {metadata.version('onnxruntime')} and the int8 weights are installed; no GPU is needed"
        )
    missing = [shown for module, shown in _NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        return bad(what, f"{' and '.join(missing)} not installed", f"{EXTRA}, or take `semantic` out of judges.panel")
    try:
        find_weights()
    except JudgeUnavailable as exc:
        return bad(what, str(exc).partition(": ")[2] or str(exc), EXTRA)
    versions = ", ".join(f"{shown} {metadata.version(shown)}" for shown in _NEEDED.values())
    return ok(what, f"{versions} and the weights are installed; runs on the processor, no GPU is needed")
