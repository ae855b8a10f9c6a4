"""Which of the known types is a text nearest to, and is that near enough?

How near is near enough differs from one set of types to the next, so it is not a number to be guessed: the examples are held out
in turns, and the limit is where a given share of them would be left unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from router.embedding import Embedder
from router.query_types import UNKNOWN
from router.query_types.centroids import Centroids

FOLDS = 5


class NearestType:
    """Compares the vector of a text with each type's examples. The name of a type counts as one more of them."""

    def __init__(self, embedder: Embedder, centroids: Centroids, *, least_cosine: float) -> None:
        self._embedder = embedder
        self.centroids = centroids
        self.least_cosine = least_cosine

    @classmethod
    def of(cls, examples: Mapping[str, Sequence[str]], embedder: Embedder, *, unknown_share: float) -> NearestType:
        """examples: type -> texts. unknown_share: in [0, 1]; 0: every text has a type. Cost: 0.2 s for 300 examples."""
        named = {name: [name.replace("_", " "), *texts] for name, texts in examples.items()}
        groups = [name for name, texts in named.items() for _ in texts]
        vectors = np.stack([embedder.embed(text) for texts in named.values() for text in texts])
        # The name stands first in its type and is never held out: it is no example of what people ask.
        places = np.concatenate([np.arange(len(texts)) for texts in named.values()])
        least = least_cosine(vectors, groups, places, unknown_share) if unknown_share else -1.0
        return cls(embedder, Centroids(vectors, groups), least_cosine=least)

    def classify(self, text: str) -> str:
        """Cost: that of the embedding and 0.02 ms."""
        nearest = self.centroids.nearest(self._embedder.embed(text))
        return nearest.group if nearest.cosine >= self.least_cosine else UNKNOWN


def least_cosine(
    vectors: NDArray[np.float32], groups: Sequence[str], places: NDArray[np.int_], unknown_share: float
) -> float:
    """The cosine that a share of the examples does not reach when they are held out.

    vectors: shape (examples, dimensions). places: of each example in its group; place 0 is never held out.
    """
    found: list[float] = []
    for fold in range(FOLDS):
        held = (places > 0) & (places % FOLDS == fold)
        kept = Centroids(vectors[~held], [group for group, out in zip(groups, held, strict=True) if not out])
        found += [kept.nearest(vector).cosine for vector in vectors[held]]
    return float(np.quantile(found, unknown_share))
