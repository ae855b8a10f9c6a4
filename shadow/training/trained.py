"""How do outcomes become a model that says where it comes from and how good it looked?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from router.contracts import Features
from router.embedding import Embedder
from router.scorers.model_directory import EmbeddingNeeded, LinearModel
from shadow.training.evaluation import evaluate
from shadow.training.fit import design, fit
from shadow.training.observed import Observed
from shadow.training.resampling import Figure

_RESAMPLES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model with its provenance."""

    model: LinearModel

    @property
    def apgr(self) -> Figure:
        """In five folds of the training rows."""
        found: Figure = self.model.provenance["held_out"]["learned"]["apgr"]
        return found


def train_model(
    requests: Sequence[Features],
    observed: Observed,
    *,
    seed: int,
    embedder: Embedder | None,
    data: Mapping[str, Any],
    version: str,
) -> Trained:
    """Fit, and measure by five folds. data: where the outcomes come from, for the model directory."""
    embedding = None if embedder is None else EmbeddingNeeded(name=embedder.name, version=embedder.version)
    fitted = fit(
        design(requests, embedder),
        observed.successes,
        observed.tiers,
        seed=seed,
        weights=observed.weights,
        embedding=embedding,
    )
    chances = fitted.held_out
    found = evaluate(
        replace(observed, costs_usd=np.nan_to_num(observed.costs_usd)),
        chances,
        np.clip(1 - (chances[:, -1:] - chances), 0, 1),
        seed=seed,
        resamples=_RESAMPLES,
    )
    held_out = {"method": "five folds of the training rows", "tiers": found["tiers"], **found["routing"]}
    provenance = {"version": version, "data": dict(data), "held_out": held_out}
    return Trained(model=replace(fitted.model, provenance=provenance))
