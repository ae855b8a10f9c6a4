"""How do two that ask about the same request share one vector? The engine remembers the last text that it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.embedding import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RememberedEmbedder:
    """An engine that computes a text once while the same text object is asked for again and again. For one thread."""

    def __init__(self, engine: Embedder) -> None:
        self._engine = engine
        self.name, self.version, self.dimensions = engine.name, engine.version, engine.dimensions
        self._text: str | None = None
        self._vector: NDArray[np.float32] | None = None

    def embed(self, text: str) -> NDArray[np.float32]:
        """As the engine's; the second call on a request costs nothing. The vector is shared: not to be written to."""
        if text is not self._text or self._vector is None:
            self._vector = self._engine.embed(text)
            self._text = text
        return self._vector
