"""How confident would the router be in each tier on each row, had its scorer never seen the row?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from router.scorers import confidences
from router.scorers.learned import LearnedScorer
from shadow.judging.pair_file import normalised_prompt
from shadow.outcome_file import OutcomeRow
from shadow.replay.population import Floats
from shadow.training.fit import chances_of, design, fit
from shadow.training.observed import of_rows

FOLDS = 5
#: Above so many rows halves are enough to train on, and a fit takes seconds.
MOST_ROWS_IN_FOLDS = 2_000
FEWEST_ROWS = 25


def fold_of(prompt: str, *, seed: int, folds: int) -> int:
    """Which part of the file a prompt belongs to; equal prompts are never parted."""
    digest = hashlib.sha256(f"{seed}\nfold\n{normalised_prompt(prompt)}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % folds


def folds_of(rows: int) -> int:
    """How many parts a file of so many rows is cut into."""
    return FOLDS if rows <= MOST_ROWS_IN_FOLDS else 2


def cross_fitted_scores(
    rows: Sequence[OutcomeRow], *, seed: int, done: Callable[[int, int], None] = lambda _done, _all: None
) -> Floats:
    """Confidence in each tier, shape (rows, tiers), each row's by a learned scorer fitted on the other folds.

    done: told (folds done, all). Cost: one training per fold, some seconds for thousands of rows.
    """
    folds = folds_of(len(rows))
    fold = np.array([fold_of(row.cluster, seed=seed, folds=folds) for row in rows])
    known, observed = design([row.features for row in rows]), of_rows(rows)
    chances = np.empty_like(observed.successes)
    # With few questions a fold may be empty, or hold nearly all of them.
    for number in range(folds):
        unseen, seen = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        if unseen.size and seen.size:
            model = fit(known.take(seen), observed.successes[seen], observed.tiers, seed=seed).model
            chances[unseen] = chances_of(model, known.take(unseen))
        elif unseen.size:
            chances[unseen] = 0.5
        done(number + 1, folds)
    return np.array([list(confidences(dict(enumerate(row))).values()) for row in chances.tolist()])


def model_scores(scorer: LearnedScorer, rows: Sequence[OutcomeRow]) -> Floats:
    """Confidence in each tier, shape (rows, tiers), as the router itself computes it."""
    return np.array([list(scorer.scores(row.features).values()) for row in rows])
