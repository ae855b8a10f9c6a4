"""Which embedding engine runs here? The int8 one where it is installed, else the reference by sentence-transformers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Literal

from judges.embedding import Embedder, SentenceTransformersEmbedder, find_weights
from judges.errors import JudgeUnavailable
from judges.int8_embedding import Int8Embedder, find_int8_weights

Engine = Literal["auto", "int8", "torch"]


def default_embedder(engine: Engine = "auto", *, model: str | Path | None = None, threads: int = 1) -> Embedder:
    """The engine of this name. model: name or path of any other sentence-transformers model, which is then used with torch."""
    if model is not None or engine == "torch":
        return SentenceTransformersEmbedder(model=model, threads=threads)
    if engine == "int8" or int8_installed():
        return Int8Embedder(threads=threads)
    return SentenceTransformersEmbedder(threads=threads)


def int8_installed() -> bool:
    """Whether the int8 engine has its libraries and weights."""
    if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxruntime", "tokenizers")):
        return False
    try:
        find_int8_weights()
        find_weights()
    except JudgeUnavailable:
        return False
    return True
