"""By which judges are answers judged now? A short word for them that is another one when anything of them is another.

What changes it: the panel, a judge's or the panel's version, a model behind a judge, the calibration, what verdicts promise.
"""

from __future__ import annotations

import hashlib
import json

from judges.calibration import read_calibration, shipped_calibration
from judges.lexical import LexicalJudge
from judges.markers import MarkersJudge
from judges.pairwise import NAME as PAIRWISE
from judges.panel import Panel
from judges.rubric import NAME as RUBRIC
from judges.semantic import SemanticJudge
from judges.structured import StructuredJudge
from shadow.settings import Settings

_VERSIONS = {
    "structured": StructuredJudge.name,
    "lexical": LexicalJudge.name,
    "markers": MarkersJudge.name,
    "semantic": SemanticJudge.name,
    "rubric": RUBRIC,
    "pairwise": PAIRWISE,
}


def judge_mark(settings: Settings) -> str:
    """Twelve hexadecimal digits. Raises: BadCalibration where the configured one can't be read."""
    own = settings.judges
    calibration = shipped_calibration() if own.calibration is None else read_calibration(own.calibration)
    said = {
        "panel": [Panel.name, *sorted(_VERSIONS[name] for name in own.panel)],
        "models": sorted(f"{model.provider}/{model.model}/{model.output}" for model in own.asked),
        "calibration": calibration.to_json(),
        "target": [own.target_agreement, own.target_confidence],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:12]
