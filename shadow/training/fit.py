"""Which linear model explains the outcomes, without believing too much of them?

One logistic regression for each tier, fitted together. A tier's weights are `shared + own`: what makes a request hard is mostly
the same for all tiers, so the shared part of signs is learned more freely than the own parts, whose difference is the gain
that routing needs. Weights are pulled towards a prior with a strength that does not depend on the number of rows: on few rows
the prior decides, "longer requests fail more often"; on many rows the rows do. The strengths were chosen on two sets of logged
outcomes (see the decision record on the learned scorer).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from router.contracts import Features
from router.embedding import Embedder
from router.scorers.learned import FURTHEST_DEVIATIONS
from router.scorers.model_directory import EmbeddingNeeded, LinearModel
from router.scorers.signs import read_signs
from router.scorers.text_vector import LENGTH_SIGNS, SIGN_NAMES, piece_buckets, sign_values

Floats = NDArray[np.float64]
BUCKETS = 2**14
SIGN_STRENGTH, PIECE_STRENGTH, VECTOR_STRENGTH = 300.0, 4.0, 30.0
OWN_SIGN_FACTOR, OWN_TEXT_FACTOR = 10.0, 1.0  # how much harder the own parts are pulled than the shared one
LENGTH_PRIOR = -1.0  # of each length sign, in logits for one standard deviation
FOLDS = 5
_SLOPE_STRENGTH = 50.0
_LEAST_SLOPE, _LARGEST_SLOPE = 0.25, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """The numbers of all requests."""

    signs: Floats  # (rows, signs), as read
    pieces: Any  # csr_matrix (rows, buckets), each row of length 1
    vectors: Floats  # (rows, dimensions), each row of length 1; no dimensions without an embedding

    def take(self, rows: NDArray[Any]) -> Design:
        return Design(signs=self.signs[rows], pieces=self.pieces[rows], vectors=self.vectors[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What came of the requests. successes: (rows, tiers) in [0, 1]; weights: as large, 0 where nothing is known."""

    successes: Floats
    weights: Floats

    @classmethod
    def of(cls, successes: Floats, weights: Floats | None) -> Targets:
        """weights are scaled so that those of a tier sum up to the number of equal ones that would say as much."""
        given = np.ones_like(successes) if weights is None else weights
        squares = (given**2).sum(axis=0)
        scale = np.divide(given.sum(axis=0), squares, out=np.zeros_like(squares), where=squares > 0)
        return cls(successes=successes, weights=given * scale)

    def take(self, rows: NDArray[Any]) -> Targets:
        return Targets(successes=self.successes[rows], weights=self.weights[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A model, and what models of its kind said about rows they had not seen: calibrated chances (rows, tiers)."""

    model: LinearModel
    held_out: Floats


def design(requests: Sequence[Features], embedder: Embedder | None = None) -> Design:
    """Numbers of requests, by the code that the router uses."""
    signs: list[list[float]] = []
    at: list[int] = []
    ends = [0]
    values: list[float] = []
    vectors = np.zeros((len(requests), embedder.dimensions if embedder else 0))
    for row, features in enumerate(requests):
        seen = read_signs(features)
        signs.append(sign_values(features, seen))
        buckets = piece_buckets(seen, BUCKETS)
        at += buckets
        ends.append(len(at))
        values += [1 / math.sqrt(max(1, len(buckets)))] * len(buckets)
        if embedder is not None:
            vectors[row] = embedder.embed(features.text)
    return Design(
        signs=np.array(signs, dtype=float).reshape(len(requests), len(SIGN_NAMES)),
        pieces=csr_matrix((values, at, ends), shape=(len(requests), BUCKETS)),
        vectors=vectors,
    )


def fit(
    known: Design,
    successes: Floats,
    tiers: Sequence[str],
    *,
    seed: int,
    weights: Floats | None = None,
    embedding: EmbeddingNeeded | None = None,
) -> Fitted:
    """Fit and calibrate. The same seed gives the same model.

    successes: (rows, tiers) in [0, 1], a chance where only a judge has spoken; weights: as large, 0 where nothing is known, None:
    all count the same. tiers: cheapest first. embedding: which one made the vectors.
    Calibration: one slope for all tiers and a shift for each, fitted on what five models said about the fifth of the rows
    that each had not seen.
    """
    targets = Targets.of(successes, weights)
    # The problem is small: threads that wait for each other between its steps cost five times what they save.
    with threadpool_limits(1):
        return _fit_and_calibrate(known, targets, tiers, seed=seed, embedding=embedding)


def _fit_and_calibrate(
    known: Design, targets: Targets, tiers: Sequence[str], *, seed: int, embedding: EmbeddingNeeded | None
) -> Fitted:
    successes = targets.successes
    folds = np.random.default_rng(seed).permutation(len(successes)) % FOLDS
    logits = np.zeros(successes.shape)
    for fold in range(FOLDS):
        seen, unseen = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        logits[unseen] = _logits(_fit(known.take(seen), targets.take(seen), tiers), known.take(unseen))
    slope, shift = _calibration(logits, targets)
    model = replace(_fit(known, targets, tiers), slope=slope, shift=shift, embedding=embedding)
    return Fitted(model=model, held_out=expit(slope * logits + shift))


def _fit(known: Design, targets: Targets, tiers: Sequence[str]) -> LinearModel:
    mean, spread = known.signs.mean(axis=0), known.signs.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    centre = known.vectors.mean(axis=0)
    length = math.sqrt(max(1e-12, float(((known.vectors - centre) ** 2).sum(axis=1).mean()))) if len(centre) else 1.0
    dense = np.hstack([_standardised(known.signs, mean, scale), (known.vectors - centre) / length])
    # A bucket that no request falls into keeps its weight of 0, and costs nothing to leave out.
    filled = np.unique(known.pieces.indices)
    pieces = known.pieces[:, filled]
    turned = pieces.T.tocsr()
    successes, counted = targets.successes, targets.weights
    signs, count, buckets, n_tiers = len(mean), dense.shape[1], pieces.shape[1], successes.shape[1]
    wide = count + buckets
    strength, factor = np.full(wide, PIECE_STRENGTH), np.full(wide, OWN_TEXT_FACTOR)
    strength[:signs], strength[signs:count] = SIGN_STRENGTH, VECTOR_STRENGTH
    factor[:signs] = OWN_SIGN_FACTOR
    # In units of the prior's spread the problem is round, and solved in a few dozen steps.
    shared_unit, own_unit = 1 / np.sqrt(strength), 1 / np.sqrt(strength * factor)
    prior = np.zeros(wide)
    prior[:LENGTH_SIGNS] = LENGTH_PRIOR

    def weights(packed: Floats) -> tuple[Floats, Floats]:
        units = packed[:-n_tiers].reshape(n_tiers + 1, wide)
        return (prior + units[0] * shared_unit + units[1:] * own_unit).T, packed[-n_tiers:]

    def loss(packed: Floats) -> tuple[float, Floats]:
        weight, bias = weights(packed)
        z = dense @ weight[:count] + pieces @ weight[count:] + bias
        off = counted * (expit(z) - successes)
        slopes = np.vstack([dense.T @ off, turned @ off]).T
        gradient = np.vstack([slopes.sum(axis=0) * shared_unit, slopes * own_unit]).ravel() + packed[:-n_tiers]
        value = float((counted * (np.logaddexp(0, z) - successes * z)).sum() + 0.5 * (packed[:-n_tiers] ** 2).sum())
        return value + 0.5e-3 * float((bias**2).sum()), np.concatenate([gradient, off.sum(axis=0) + 1e-3 * bias])

    rates = ((counted * successes).sum(axis=0) + 0.5) / (counted.sum(axis=0) + 1)
    start = np.concatenate([np.zeros((n_tiers + 1) * wide), logit(rates)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100, "ftol": 1e-8})
    weight, bias = weights(found.x)
    vector_weights = weight[signs:count] / length
    piece_weights = np.zeros((known.pieces.shape[1], n_tiers), dtype=np.float32)
    piece_weights[filled] = weight[count:]
    return LinearModel(
        tiers=tuple(tiers),
        sign_mean=mean,
        sign_scale=scale,
        sign_weights=weight[:signs],
        piece_weights=piece_weights,
        vector_weights=vector_weights.astype(np.float32),
        embedding=None,
        bias=bias - centre @ vector_weights,
        slope=1.0,
        shift=np.zeros(n_tiers),
        provenance={},
    )


def _standardised(signs: Floats, mean: Floats, scale: Floats) -> Floats:
    return np.clip((signs - mean) / scale, -FURTHEST_DEVIATIONS, FURTHEST_DEVIATIONS)


def _logits(model: LinearModel, known: Design) -> Floats:
    signs = _standardised(known.signs, model.sign_mean, model.sign_scale)
    found: Floats = signs @ model.sign_weights + known.pieces @ model.piece_weights + model.bias
    found += known.vectors @ model.vector_weights
    return found


def chances_of(model: LinearModel, known: Design) -> Floats:
    """(rows, tiers): what `LearnedScorer.chances` says of each row, for all at once."""
    chances: Floats = expit(model.slope * _logits(model, known) + model.shift)
    return chances


def _calibration(logits: Floats, targets: Targets) -> tuple[float, Floats]:
    """Slope and shifts that fit best, the slope pulled towards 1."""
    successes, counted = targets.successes, targets.weights
    n_tiers = logits.shape[1]

    def loss(packed: Floats) -> tuple[float, Floats]:
        slope, shift = packed[0], packed[1:]
        z = slope * logits + shift
        off = counted * (expit(z) - successes)
        value = (counted * (np.logaddexp(0, z) - successes * z)).sum() + 0.5 * _SLOPE_STRENGTH * (slope - 1) ** 2
        gradient = np.r_[(off * logits).sum() + _SLOPE_STRENGTH * (slope - 1), off.sum(axis=0) + 1e-3 * shift]
        return float(value + 0.5e-3 * (shift**2).sum()), gradient

    bounds = [(_LEAST_SLOPE, _LARGEST_SLOPE), *[(-10.0, 10.0)] * n_tiers]
    start = np.r_[1.0, np.zeros(n_tiers)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(found.x[0]), found.x[1:]
