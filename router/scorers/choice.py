"""Which scorer does the configuration ask for?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from router.scorers import Scorer
from router.scorers.heuristic import HeuristicScorer
from router.settings import ScorerSettings


def scorer_for(settings: ScorerSettings, tiers: Sequence[str]) -> Scorer:
    """The scorer, ready to be asked. tiers: cheapest first. Raises: ModelUnusable."""
    if settings.kind == "heuristic" or settings.model_dir is None:
        return HeuristicScorer.of(tiers)
    # Here and not above: a router that needs no model does not load NumPy.
    from router.scorers.learned import LearnedScorer

    return LearnedScorer.load(Path(settings.model_dir), tiers)
