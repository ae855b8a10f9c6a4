"""Which vector stands for a text on the inline path? The port of embedding engines; `router.embedding.choice` loads one.

Nothing is loaded unless the configuration asks for it, and no engine needs torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Embedder(Protocol):
    """Turns a text into a vector of length one. Vectors can be compared only if `name` and `version` are the same."""

    @property
    def name(self) -> str:
        """What the configuration calls it: "static" or "minilm"."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever vectors do: a model that was fitted on vectors keeps it beside them."""
        ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, text: str) -> NDArray[np.float32]:
        """Shape (dimensions,), length one; zeros where there is nothing to read. Never fails on a text. Blocks."""
        ...
