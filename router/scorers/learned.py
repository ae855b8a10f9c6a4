"""How likely is each tier to succeed, as learned from outcomes?

For each tier there is a logistic model of its success. What counts for routing is their difference, the expected gain of
asking the top tier: a request that both tiers solve, or that both fail, gains nothing from the expensive one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import mul
from pathlib import Path
from typing import cast, get_args

import numpy as np

from router.contracts import Features
from router.embedding import Embedder
from router.embedding.choice import EmbeddingKind, shared_embedder
from router.errors import EmbeddingUnavailable, ModelUnusable
from router.scorers import confidences
from router.scorers.model_directory import LinearModel, load_model
from router.scorers.signs import read_signs
from router.scorers.text_vector import sign_values, token_buckets, tokens_of

#: A sign far outside what training has seen says no more than one at its edge.
FURTHEST_DEVIATIONS = _FURTHEST = 4.0
_USUAL_CHARACTERS = 20
_LARGEST_LOGIT = 30.0


class LearnedScorer:
    """Scores from a trained model."""

    def __init__(self, model: LinearModel, embedder: Embedder | None = None) -> None:
        """embedder: the one that the model needs; None if it needs none."""
        self.model = model
        self._embedder = embedder
        self._vector_weights = model.vector_weights * np.float32(model.slope)
        # Slope and shift are folded in once. So few numbers are added up faster without NumPy.
        self._deviations = tuple(zip(model.sign_mean.tolist(), (1 / model.sign_scale).tolist(), strict=True))
        self._sign_weights: list[list[float]] = (model.sign_weights * model.slope).T.tolist()
        self._bias: list[float] = (model.bias * model.slope + model.shift).tolist()
        self._pieces = model.piece_weights * model.slope
        # A few thousand words make up nearly all of what is written. Some 10 MB at the most.
        self._usual_token = lru_cache(maxsize=30_000)(self._token)

    @classmethod
    def load(cls, directory: Path, tiers: Sequence[str]) -> LearnedScorer:
        """The scorer of a model directory. Raises: ModelUnusable, also where it was trained for other tiers or vectors."""
        model = load_model(directory)
        if model.tiers != tuple(tiers):
            raise ModelUnusable(
                [
                    f"routing.scorer.model_dir: {directory} was trained for the tiers {', '.join(model.tiers)},"
                    f" configured are {', '.join(tiers)}"
                ]
            )
        return cls(model, _embedder_of(model, directory))

    def chances(self, features: Features) -> dict[str, float]:
        """tier -> P(the tier succeeds), calibrated. Cost: 0.1 ms for a short message, 1 ms for a long one; minilm: 3 ms more."""
        signs = read_signs(features)
        away = [
            _FURTHEST if (z := (value - mean) * per_deviation) > _FURTHEST else -_FURTHEST if z < -_FURTHEST else z
            for value, (mean, per_deviation) in zip(sign_values(features, signs), self._deviations, strict=True)
        ]
        logits = [
            bias + sum(map(mul, away, weights)) for bias, weights in zip(self._bias, self._sign_weights, strict=True)
        ]
        if tokens := tokens_of(signs):
            known, new = self._usual_token, self._token
            pieces, *totals = map(
                sum,
                zip(
                    *[known(token) if len(token) <= _USUAL_CHARACTERS else new(token) for token in tokens], strict=True
                ),
            )
            scale = 1 / math.sqrt(pieces)
            logits = [logit + total * scale for logit, total in zip(logits, totals, strict=True)]
        if self._embedder is not None:
            vector = self._embedder.embed(features.text)
            logits = [
                logit + more for logit, more in zip(logits, (vector @ self._vector_weights).tolist(), strict=True)
            ]
        return {
            tier: 1 / (1 + math.exp(-max(-_LARGEST_LOGIT, min(_LARGEST_LOGIT, logit))))
            for tier, logit in zip(self.model.tiers, logits, strict=True)
        }

    def _token(self, token: str) -> tuple[float, ...]:
        """(number of pieces, sum of their weights for each tier)"""
        buckets = token_buckets(token, len(self._pieces))
        return (float(len(buckets)), *self._pieces[buckets].sum(axis=0).tolist())

    def scores(self, features: Features) -> Mapping[str, float]:
        """Confidence per tier, `1 - (P(top) - P(tier))`, clipped to [0, 1]."""
        return confidences(self.chances(features))


def _embedder_of(model: LinearModel, directory: Path) -> Embedder | None:
    needed = model.embedding
    if needed is None:
        return None
    if needed.name not in get_args(EmbeddingKind):
        raise ModelUnusable([f"{directory} needs the embedding {needed}, which this version does not know"])
    try:
        found = shared_embedder(cast("EmbeddingKind", needed.name))
    except EmbeddingUnavailable as error:
        raise ModelUnusable([f"{directory} needs the embedding {needed}: {error}"]) from error
    if found.version != needed.version:
        raise ModelUnusable(
            [
                f"{directory} was trained on the embedding {needed}, installed is {found.name}@{found.version}:"
                " train it again"
            ]
        )
    if found.dimensions != len(model.vector_weights):
        raise ModelUnusable([f"{directory}: damaged: vectors of {len(model.vector_weights)} dimensions for {needed}"])
    return found
