"""Does the answer mean what the reference means, as far as sentence embeddings can tell?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judges.contracts import Comparison, Judgment, Verdict
from judges.embedding import Embedder, SentenceTransformersEmbedder
from judges.text import clean, clip, sentences

_ACCEPT = 0.55
_REJECT = 0.45
_MAX_SENTENCES = 12
_MAX_PIECE = 1_000
_MAX_PROMPT = 400
_CHUNK = 64  # comparisons encoded at a time: bounds memory, keeps batches full
#: The alignment of answers that are as often right as wrong, and how fast that changes. Only a scale: calibration follows.
_MIDDLE, _STEEPNESS = 0.50, 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pieces:
    """The texts of one comparison, as rows of the batch of vectors."""

    prompt: int
    answer: int
    reference: int
    answer_sentences: tuple[int, ...]
    reference_sentences: tuple[int, ...]


class SemanticJudge:
    """Aligns each sentence of the reference with the answer's closest one, and both texts as a whole.

    Every piece is embedded behind the question, and then the question's own direction is taken out: what is left is what
    the piece adds to the question. Without that, two answers are alike because they answer the same question.
    """

    name = "semantic@1"

    def __init__(self, embedder: Embedder | None = None, *, threads: int = 1) -> None:
        self._embedder = embedder or SentenceTransformersEmbedder(threads=threads)

    async def judge(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        """One judgment per comparison, same order. Raises JudgeUnavailable without the extra `judges`."""
        judged: list[Judgment] = []
        for start in range(0, len(comparisons), _CHUNK):
            judged += await asyncio.to_thread(self._chunk, comparisons[start : start + _CHUNK])
        return judged

    def _chunk(self, comparisons: Sequence[Comparison]) -> list[Judgment]:
        started = time.perf_counter()
        texts: dict[str, int] = {}
        pieces = [self._pieces(c, texts) for c in comparisons]
        vectors = self._encode(list(texts)) if texts else np.zeros((0, 1), dtype=np.float32)
        scores = [None if p is None else _alignment(p, vectors) for p in pieces]
        seconds = (time.perf_counter() - started) / len(comparisons)
        return [self._judgment(score, seconds) for score in scores]

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        """The vectors in the order of the texts; encoded by length, so that a batch is not padded to its longest."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        by_length = self._embedder.encode([texts[i] for i in order])
        vectors = np.empty_like(by_length)
        vectors[order] = by_length
        return vectors

    @staticmethod
    def _pieces(comparison: Comparison, texts: dict[str, int]) -> _Pieces | None:
        answer, reference = clean(clip(comparison.answer)).strip(), clean(clip(comparison.reference or "")).strip()
        if not answer or not reference:
            return None
        prompt = clean(clip(comparison.prompt)).strip()[-_MAX_PROMPT:]

        def row(piece: str) -> int:
            return texts.setdefault(f"{prompt} {piece[:_MAX_PIECE]}".strip(), len(texts))

        return _Pieces(
            prompt=texts.setdefault(prompt, len(texts)) if prompt else -1,
            answer=row(answer),
            reference=row(reference),
            answer_sentences=tuple(row(s) for s in sentences(answer)[:_MAX_SENTENCES]),
            reference_sentences=tuple(row(s) for s in sentences(reference)[:_MAX_SENTENCES]),
        )

    def _judgment(self, alignment: float | None, seconds: float) -> Judgment:
        if alignment is None:
            rationale = "there is nothing to compare"
            return Judgment(
                judge=self.name, verdict="abstain", score=None, rationale=rationale, latency_seconds=seconds
            )
        score = float(1 / (1 + np.exp(-_STEEPNESS * (alignment - _MIDDLE))))
        verdict: Verdict = "accept" if score >= _ACCEPT else "reject" if score <= _REJECT else "abstain"
        return Judgment(
            judge=self.name,
            verdict=verdict,
            score=None if verdict == "abstain" else score,
            rationale=f"alignment beyond the question {alignment:.2f}",
            latency_seconds=seconds,
        )


def _alignment(pieces: _Pieces, vectors: NDArray[np.float32]) -> float:
    """Mean of whole-text and sentence-level agreement, each a cosine after the prompt's direction is taken out."""
    prompt = vectors[pieces.prompt] if pieces.prompt >= 0 else None

    def beyond(rows: Sequence[int]) -> NDArray[np.float32]:
        found = vectors[list(rows)]
        if prompt is not None:
            found = found - (found @ prompt)[:, None] * prompt
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(length, 1e-6), dtype=np.float32)

    whole = float((beyond([pieces.answer]) @ beyond([pieces.reference]).T)[0, 0])
    ours, theirs = pieces.answer_sentences or (pieces.answer,), pieces.reference_sentences or (pieces.reference,)
    nearest = float((beyond(theirs) @ beyond(ours).T).max(axis=1).mean())
    return (whole + nearest) / 2
