"""Does a cross-encoder find that the context, or the reference, entails each claim of the answer, or contradicts it?

Optional: asked only where a model is named, since no model of this kind comes with the product.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from judges.contracts import Comparison, Judgment, Marker
from judges.errors import JudgeUnavailable
from judges.text import clean, clip, sentences

_MAX_CLAIMS = 12
_MAX_PREMISES = 12
_PREMISE_CHARACTERS = 1_200
_CONTRADICTED = 0.5
_LABELS = ("entailment", "neutral", "contradiction")


class PairClassifier(Protocol):
    """Says of each (premise, claim) how likely the claim is entailed, neutral, contradicted."""

    def classify(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Shape (pairs, 3), rows summing to one. Blocks: call it in a thread."""
        ...


class CrossEncoderClassifier:
    """Any sentence-transformers cross-encoder with labels entailment, neutral and contradiction, by name or path."""

    def __init__(self, model: str | Path) -> None:
        self._name = str(model)
        self._model: Any = None
        self._columns: list[int] = []
        self._lock = threading.Lock()

    def classify(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Shape (pairs, 3). Raises: JudgeUnavailable where the model cannot be loaded or has other labels."""
        with self._lock:
            if self._model is None:
                self._load()
            scores = self._model.predict(list(pairs), apply_softmax=True, show_progress_bar=False)
        return np.asarray(scores, dtype=np.float64)[:, self._columns]

    def _load(self) -> None:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            from sentence_transformers import CrossEncoder

            model = CrossEncoder(self._name)
        except ImportError as exc:
            raise JudgeUnavailable(f"nli: {exc.name} is not installed; install the extra `judges`") from exc
        except (OSError, ValueError, RuntimeError) as exc:
            raise JudgeUnavailable(f"nli: the model {self._name} cannot be loaded: {exc}") from exc
        names = {str(label).lower(): int(i) for i, label in model.config.id2label.items()}
        columns = [next((i for name, i in names.items() if name.startswith(label[:6])), None) for label in _LABELS]
        if None in columns:
            raise JudgeUnavailable(
                f"nli: the model {self._name} has the labels {sorted(names)}, not {', '.join(_LABELS)}"
            )
        self._columns = [c for c in columns if c is not None]
        self._model = model


class NliJudge:
    """Each claim of the answer against the pieces of the context, of the reference where there is none; best piece counts.

    The score is the mean over claims of entailed plus half of neutral; a claim that some piece contradicts and none entails
    is marked.
    """

    name = "nli@1"

    def __init__(self, classifier: PairClassifier) -> None:
        self._classifier = classifier

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, same order. Raises: JudgeUnavailable."""
        return [await asyncio.to_thread(self._one, c) for c in comparisons]

    def _one(self, comparison: Comparison) -> Judgment:
        started = time.perf_counter()
        source = (comparison.context or "").strip() or (comparison.reference or "").strip()
        claims = [s for s in sentences(clean(clip(comparison.answer)))[:_MAX_CLAIMS] if not s.endswith("?")]
        premises = _premises(clean(clip(source)))
        if not claims or not premises:
            return self._judgment(None, "there is nothing to compare", (), started)
        said = self._classifier.classify([(premise, claim) for claim in claims for premise in premises])
        found = said.reshape(len(claims), len(premises), len(_LABELS))
        best = found[np.arange(len(claims)), found[:, :, 0].argmax(axis=1)]
        against = found[:, :, 2].max(axis=1)
        contradicted = (against >= _CONTRADICTED) & (best[:, 0] < _CONTRADICTED)
        kept = np.where(contradicted, 1 - against, best[:, 0] + best[:, 1] / 2)
        markers = tuple(
            _marker(comparison.answer, c, float(a))
            for c, a, is_so in zip(claims, against, contradicted, strict=True)
            if is_so
        )
        rationale = (
            f"{len(claims)} claims: {int((best[:, 0] >= 0.5).sum())} entailed, {int(contradicted.sum())} contradicted"
        )
        return self._judgment(float(kept.mean()), rationale, markers, started)

    def _judgment(self, score: float | None, rationale: str, markers: tuple[Marker, ...], started: float) -> Judgment:
        return Judgment(
            judge=self.name,
            verdict="abstain" if score is None else "accept" if score >= 0.5 else "reject",
            score=score,
            rationale=rationale,
            markers=markers,
            latency_seconds=time.perf_counter() - started,
        )


def _premises(source: str) -> list[str]:
    """The source in pieces of whole sentences, each short enough for a model."""
    pieces: list[str] = []
    for sentence in sentences(source):
        if pieces and len(pieces[-1]) + len(sentence) < _PREMISE_CHARACTERS:
            pieces[-1] = f"{pieces[-1]} {sentence}"
        else:
            pieces.append(sentence[:_PREMISE_CHARACTERS])
    return pieces[:_MAX_PREMISES]


def _marker(answer: str, claim: str, weight: float) -> Marker:
    start = max(0, answer.find(claim))
    return Marker(
        kind="contradicted_claim",
        start=start,
        end=min(len(answer), start + len(claim)),
        text=claim[:200],
        weight=min(1.0, weight),
    )
