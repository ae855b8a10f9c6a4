"""How likely is each tier to succeed, as learned from outcomes?

For each tier there is a logistic model of its success. What counts for routing is their difference, the expected gain of
asking the top tier: a request that both tiers solve, or that both fail, gains nothing from the expensive one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from router.contracts import Features
from router.errors import ModelUnusable
from router.scorers import confidences
from router.scorers.model_directory import LinearModel, load_model
from router.scorers.signs import read_signs
from router.scorers.text_vector import piece_buckets, sign_values

#: A sign far outside what training has seen says no more than one at its edge.
FURTHEST_DEVIATIONS = 4.0
_LARGEST_LOGIT = 30.0


class LearnedScorer:
    """Scores from a trained model."""

    def __init__(self, model: LinearModel) -> None:
        self.model = model
        # Standardising, slope and shift are folded into plain numbers once: on so few of them NumPy is the slower way.
        weights = (model.sign_weights * model.slope).tolist()
        self._signs = tuple(zip(model.sign_mean.tolist(), model.sign_scale.tolist(), weights, strict=True))
        self._bias: list[float] = (model.bias * model.slope + model.shift).tolist()
        self._pieces = model.piece_weights * model.slope

    @classmethod
    def load(cls, directory: Path, tiers: Sequence[str]) -> LearnedScorer:
        """The scorer of a model directory. Raises: ModelUnusable, also where it was trained for other tiers."""
        model = load_model(directory)
        if model.tiers != tuple(tiers):
            raise ModelUnusable(
                [
                    f"routing.scorer.model_dir: {directory} was trained for the tiers {', '.join(model.tiers)},"
                    f" configured are {', '.join(tiers)}"
                ]
            )
        return cls(model)

    def chances(self, features: Features) -> dict[str, float]:
        """tier -> P(the tier succeeds), calibrated. Cost: below 0.1 ms for a short message, 1 ms for a long one."""
        signs = read_signs(features)
        logits = list(self._bias)
        for value, (mean, scale, weights) in zip(sign_values(features, signs), self._signs, strict=True):
            away = max(-FURTHEST_DEVIATIONS, min(FURTHEST_DEVIATIONS, (value - mean) / scale))
            if away:
                for place, weight in enumerate(weights):
                    logits[place] += away * weight
        buckets = piece_buckets(signs, len(self._pieces))
        if buckets:
            scale = 1 / math.sqrt(len(buckets))
            for place, total in enumerate(self._pieces[buckets].sum(axis=0).tolist()):
                logits[place] += total * scale
        return {
            tier: 1 / (1 + math.exp(-max(-_LARGEST_LOGIT, min(_LARGEST_LOGIT, logit))))
            for tier, logit in zip(self.model.tiers, logits, strict=True)
        }

    def scores(self, features: Features) -> Mapping[str, float]:
        """Confidence per tier, `1 - (P(top) - P(tier))`, clipped to [0, 1]."""
        return confidences(self.chances(features))
