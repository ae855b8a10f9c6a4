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
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit, logit

from router.contracts import Features
from router.scorers.learned import FURTHEST_DEVIATIONS
from router.scorers.model_directory import LinearModel
from router.scorers.signs import read_signs
from router.scorers.text_vector import LENGTH_SIGNS, SIGN_NAMES, piece_buckets, sign_values

Floats = NDArray[np.float64]
BUCKETS = 2**14
SIGN_STRENGTH, PIECE_STRENGTH = 300.0, 4.0
OWN_SIGN_FACTOR, OWN_PIECE_FACTOR = 10.0, 1.0  # how much harder the own parts are pulled than the shared one
LENGTH_PRIOR = -1.0  # of each length sign, in logits for one standard deviation
FOLDS = 5
_SLOPE_STRENGTH = 50.0
_LEAST_SLOPE, _LARGEST_SLOPE = 0.25, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """The numbers of all requests."""

    signs: Floats  # (rows, signs), as read
    pieces: Any  # csr_matrix (rows, buckets), each row of length 1

    def take(self, rows: NDArray[Any]) -> Design:
        return Design(signs=self.signs[rows], pieces=self.pieces[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A model, and what models of its kind said about rows they had not seen: calibrated chances (rows, tiers)."""

    model: LinearModel
    held_out: Floats


def design(requests: Sequence[Features]) -> Design:
    """Numbers of requests, by the code that the router uses."""
    signs: list[list[float]] = []
    at: list[int] = []
    ends = [0]
    values: list[float] = []
    for features in requests:
        seen = read_signs(features)
        signs.append(sign_values(features, seen))
        buckets = piece_buckets(seen, BUCKETS)
        at += buckets
        ends.append(len(at))
        values += [1 / math.sqrt(len(buckets))] * len(buckets)
    return Design(
        signs=np.array(signs, dtype=float).reshape(len(requests), len(SIGN_NAMES)),
        pieces=csr_matrix((values, at, ends), shape=(len(requests), BUCKETS)),
    )


def fit(requests: Sequence[Features], successes: Floats, tiers: Sequence[str], *, seed: int) -> Fitted:
    """Fit and calibrate. successes: (rows, tiers) of 0 and 1; tiers: cheapest first. The same seed gives the same model.

    Calibration: one slope for all tiers and a shift for each, fitted on what five models said about the fifth of the rows
    that each had not seen.
    """
    known = design(requests)
    folds = np.random.default_rng(seed).permutation(len(requests)) % FOLDS
    logits = np.zeros(successes.shape)
    for fold in range(FOLDS):
        unseen = folds == fold
        part = _fit(known.take(np.flatnonzero(~unseen)), successes[~unseen], tiers)
        logits[unseen] = _logits(part, known.take(np.flatnonzero(unseen)))
    slope, shift = _calibration(logits, successes)
    raw = _fit(known, successes, tiers)
    model = LinearModel(
        tiers=raw.tiers,
        sign_mean=raw.sign_mean,
        sign_scale=raw.sign_scale,
        sign_weights=raw.sign_weights,
        piece_weights=raw.piece_weights,
        bias=raw.bias,
        slope=slope,
        shift=shift,
        provenance={},
    )
    return Fitted(model=model, held_out=expit(slope * logits + shift))


def _fit(known: Design, successes: Floats, tiers: Sequence[str]) -> LinearModel:
    mean, spread = known.signs.mean(axis=0), known.signs.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    signs, pieces = _standardised(known.signs, mean, scale), known.pieces
    turned = pieces.T.tocsr()
    count, buckets, n_tiers = signs.shape[1], pieces.shape[1], successes.shape[1]
    wide = count + buckets
    strength = np.r_[np.full(count, SIGN_STRENGTH), np.full(buckets, PIECE_STRENGTH)]
    factor = np.r_[np.full(count, OWN_SIGN_FACTOR), np.full(buckets, OWN_PIECE_FACTOR)]
    # In units of the prior's spread the problem is round, and solved in a few dozen steps.
    shared_unit, own_unit = 1 / np.sqrt(strength), 1 / np.sqrt(strength * factor)
    prior = np.zeros(wide)
    prior[:LENGTH_SIGNS] = LENGTH_PRIOR

    def weights(packed: Floats) -> tuple[Floats, Floats]:
        units = packed[:-n_tiers].reshape(n_tiers + 1, wide)
        return (prior + units[0] * shared_unit + units[1:] * own_unit).T, packed[-n_tiers:]

    def loss(packed: Floats) -> tuple[float, Floats]:
        weight, bias = weights(packed)
        z = signs @ weight[:count] + pieces @ weight[count:] + bias
        off = expit(z) - successes
        slopes = np.vstack([signs.T @ off, turned @ off]).T
        gradient = np.vstack([slopes.sum(axis=0) * shared_unit, slopes * own_unit]).ravel() + packed[:-n_tiers]
        value = float((np.logaddexp(0, z) - successes * z).sum() + 0.5 * (packed[:-n_tiers] ** 2).sum())
        return value + 0.5e-3 * float((bias**2).sum()), np.concatenate([gradient, off.sum(axis=0) + 1e-3 * bias])

    rates = (successes.sum(axis=0) + 0.5) / (len(successes) + 1)
    start = np.concatenate([np.zeros((n_tiers + 1) * wide), logit(rates)])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100, "ftol": 1e-8})
    weight, bias = weights(found.x)
    return LinearModel(
        tiers=tuple(tiers),
        sign_mean=mean,
        sign_scale=scale,
        sign_weights=weight[:count],
        piece_weights=weight[count:].astype(np.float32),
        bias=bias,
        slope=1.0,
        shift=np.zeros(n_tiers),
        provenance={},
    )


def _standardised(signs: Floats, mean: Floats, scale: Floats) -> Floats:
    return np.clip((signs - mean) / scale, -FURTHEST_DEVIATIONS, FURTHEST_DEVIATIONS)


def _logits(model: LinearModel, known: Design) -> Floats:
    signs = _standardised(known.signs, model.sign_mean, model.sign_scale)
    found: Floats = signs @ model.sign_weights + known.pieces @ model.piece_weights + model.bias
    return found


def _calibration(logits: Floats, successes: Floats) -> tuple[float, Floats]:
    """Slope and shifts that fit best, the slope pulled towards 1."""
    n_tiers = logits.shape[1]

    def loss(packed: Floats) -> tuple[float, Floats]:
        slope, shift = packed[0], packed[1:]
        z = slope * logits + shift
        off = expit(z) - successes
        value = (np.logaddexp(0, z) - successes * z).sum() + 0.5 * _SLOPE_STRENGTH * (slope - 1) ** 2
        gradient = np.r_[(off * logits).sum() + _SLOPE_STRENGTH * (slope - 1), off.sum(axis=0) + 1e-3 * shift]
        return float(value + 0.5e-3 * (shift**2).sum()), gradient

    bounds = [(_LEAST_SLOPE, _LARGEST_SLOPE), *[(-10.0, 10.0)] * n_tiers]
    start = np.r_[1.0, np.zeros(n_tiers)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(found.x[0]), found.x[1:]
