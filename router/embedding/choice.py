"""Which embedding does the configuration ask for?"""

from __future__ import annotations

from functools import cache
from typing import Literal

from router.embedding import Embedder

EmbeddingKind = Literal["static", "minilm"]


@cache
def embedder_for(kind: EmbeddingKind) -> Embedder:
    """The engine, loaded and ready; one in a process, whoever asks. Raises: EmbeddingUnavailable.

    Cost: 0.3 s for static, 0.7 s for minilm, the first time.
    """
    # Here and not above: a router that needs no embedding loads neither NumPy nor tokenizers nor onnxruntime.
    if kind == "static":
        from router.embedding.static import StaticEmbedder

        return StaticEmbedder.load()
    from router.embedding.minilm import MiniLmEmbedder

    return MiniLmEmbedder.load()


@cache
def shared_embedder(kind: EmbeddingKind) -> Embedder:
    """The one engine of this process, for all who ask about the same request. Raises: EmbeddingUnavailable."""
    from router.embedding.remembered import RememberedEmbedder

    return RememberedEmbedder(embedder_for(kind))
