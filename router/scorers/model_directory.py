"""What lies in the directory of a trained model, and is it whole?

`model.json` says what the model is and where it comes from; `weights.npz` holds its numbers. Both are written by `shadow
train`. The first names the SHA-256 of the second, so that a copy cut short is found when the router starts.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router.errors import ModelUnusable
from router.scorers.text_vector import SIGN_NAMES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 3
KIND = "linear"
MODEL_FILE, WEIGHTS_FILE = "model.json", "weights.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingNeeded:
    """The embedding that a model was trained on: another version has other vectors."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearModel:
    """Logistic models, one for each tier, over the same numbers.

    logit(tier) = slope * (bias + standardised signs @ sign_weights + sum of the pieces' weights / sqrt(pieces)
                           + vector @ vector_weights) + shift
    """

    tiers: tuple[str, ...]  # cheapest first
    sign_mean: NDArray[np.float64]  # (signs,)
    sign_scale: NDArray[np.float64]  # (signs,), above 0
    sign_weights: NDArray[np.float64]  # (signs, tiers)
    piece_weights: NDArray[np.float32]  # (buckets, tiers)
    vector_weights: NDArray[np.float32]  # (dimensions, tiers); no dimensions without an embedding
    embedding: EmbeddingNeeded | None
    bias: NDArray[np.float64]  # (tiers,)
    slope: float  # calibration, one for all tiers: it keeps their order
    shift: NDArray[np.float64]  # calibration, (tiers,)
    provenance: Mapping[str, Any]  # version, data hash, rows, held-out figures: to be read by people


_ARRAYS = ("sign_mean", "sign_scale", "sign_weights", "piece_weights", "vector_weights", "bias", "shift")


def save_model(model: LinearModel, directory: Path) -> None:
    """Write the directory; an older model in it is replaced. Raises: OSError."""
    import numpy as np

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: getattr(model, name) for name in _ARRAYS})
    weights = buffer.getvalue()
    about = {
        "format": FORMAT,
        "kind": KIND,
        "tiers": list(model.tiers),
        "signs": list(SIGN_NAMES),
        "buckets": len(model.piece_weights),
        "embedding": None if model.embedding is None else asdict(model.embedding),
        "calibration": {"slope": model.slope, "shift": model.shift.tolist()},
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        **model.provenance,
    }
    directory.mkdir(parents=True, exist_ok=True)
    _replace(directory / WEIGHTS_FILE, weights)
    _replace(directory / MODEL_FILE, (json.dumps(about, indent=2) + "\n").encode())


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_bytes(content)
    new.replace(path)


def load_model(directory: Path) -> LinearModel:
    """The model of a directory. Raises: ModelUnusable, with one line that says what is wrong."""
    try:
        about = json.loads(_content(directory, MODEL_FILE))
    except (ValueError, RecursionError) as error:
        raise ModelUnusable([f"{directory / MODEL_FILE}: not JSON: {error}"]) from error
    if not isinstance(about, dict) or (about.get("format"), about.get("kind")) != (FORMAT, KIND):
        raise ModelUnusable([f"{directory / MODEL_FILE}: not a model of format {FORMAT}, kind {KIND}; train it again"])
    if about.get("signs") != list(SIGN_NAMES):
        raise ModelUnusable([f"{directory / MODEL_FILE}: made for other text features; train it again"])
    weights = _content(directory, WEIGHTS_FILE)
    if hashlib.sha256(weights).hexdigest() != about.get("weights_sha256"):
        raise ModelUnusable([f"{directory / WEIGHTS_FILE}: damaged, or of another model than {MODEL_FILE}"])
    try:
        return _model(about, weights)
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ModelUnusable([f"{directory}: damaged: {error}"]) from error


def _content(directory: Path, name: str) -> bytes:
    try:
        return (directory / name).read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise ModelUnusable([f"routing.scorer.model_dir: {directory / name} cannot be read: {reason}"]) from error


def _model(about: Mapping[str, Any], weights: bytes) -> LinearModel:
    import numpy as np

    with np.load(io.BytesIO(weights), allow_pickle=False) as held:
        arrays: dict[str, Any] = {name: held[name] for name in _ARRAYS}
    tiers = tuple(about["tiers"])
    slope = float(about["calibration"]["slope"])
    signs, count, buckets = len(SIGN_NAMES), len(tiers), int(about["buckets"])
    needed = about["embedding"]
    embedding = None if needed is None else EmbeddingNeeded(name=str(needed["name"]), version=str(needed["version"]))
    dimensions = 0 if embedding is None else len(arrays["vector_weights"])
    wanted = {
        "sign_mean": (signs,),
        "sign_scale": (signs,),
        "sign_weights": (signs, count),
        "piece_weights": (buckets, count),
        "vector_weights": (dimensions, count),
        "bias": (count,),
        "shift": (count,),
    }
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape} instead of {shape}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} holds something that is no number")
    if count < 2 or buckets < 1 or not all(isinstance(tier, str) for tier in tiers):
        raise ValueError("it needs at least two tiers and one bucket")
    if not 0 < slope < float("inf") or not (arrays["sign_scale"] > 0).all():
        raise ValueError("slope and sign_scale have to be above 0")
    given = {"format", "kind", "tiers", "signs", "buckets", "embedding", "calibration", "weights_sha256"}
    provenance = {key: value for key, value in about.items() if key not in given}
    return LinearModel(tiers=tiers, slope=slope, embedding=embedding, provenance=provenance, **arrays)
