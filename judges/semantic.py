"""Does the answer mean what the reference means, as far as sentence embeddings, words and hard facts can tell?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from judges.contracts import Comparison, Judgment, Verdict
from judges.embedding import Embedder
from judges.engines import default_embedder
from judges.likeness import likeness, probability
from judges.text import clean, clip, sentences

_MAX_SENTENCES = 12
_MAX_PIECE = 1_000
_MAX_PROMPT = 400
_CHUNK = 64  # comparisons encoded at a time: bounds memory, keeps batches full
#: Log-odds that the alignment adds to those of words and facts, and the alignment that tells nothing. Fitted as those were.
_ALIGNED, _MIDDLE = 2.0, 0.50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pieces:
    """The texts of one comparison, as rows of the batch of vectors."""

    prompt: int
    answer: tuple[int, ...]
    reference: tuple[int, ...]


class SemanticJudge:
    """Aligns each sentence with the closest one of the other side, both ways, and adds what words and hard facts say.

    Every piece is embedded behind the question, and then the question's own direction is taken out: what is left is what
    the piece adds to the question. Without that, two answers are alike because they answer the same question. A wrong name or
    number hardly moves an embedding: facts are compared beside it.
    """

    name = "semantic@3"

    def __init__(self, embedder: Embedder | None = None, *, threads: int = 1) -> None:
        self._embedder = embedder or default_embedder(threads=threads)

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
        alignments = [None if p is None else _alignment(p, vectors) for p in pieces]
        seconds = (time.perf_counter() - started) / len(comparisons)
        return [self._judgment(c, a, seconds) for c, a in zip(comparisons, alignments, strict=True)]

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
            answer=tuple(row(s) for s in sentences(answer)[:_MAX_SENTENCES] or [answer]),
            reference=tuple(row(s) for s in sentences(reference)[:_MAX_SENTENCES] or [reference]),
        )

    def _judgment(self, comparison: Comparison, alignment: float | None, seconds: float) -> Judgment:
        found = None if alignment is None else likeness(comparison)
        if alignment is None:
            rationale = "there is nothing to compare"
            return Judgment(
                judge=self.name, verdict="abstain", score=None, rationale=rationale, latency_seconds=seconds
            )
        words_say = found.log_odds if found is not None else 0.0
        score = probability(words_say + _ALIGNED * (alignment - _MIDDLE))
        verdict: Verdict = "accept" if score >= 0.5 else "reject"
        rationale = f"alignment beyond the question {alignment:.2f}" + (f"; {found.said}" if found is not None else "")
        return Judgment(judge=self.name, verdict=verdict, score=score, rationale=rationale, latency_seconds=seconds)


def _alignment(pieces: _Pieces, vectors: NDArray[np.float32]) -> float:
    """How well the sentences of one side are found on the other, the better of both ways: either may say more than the other."""
    prompt = vectors[pieces.prompt] if pieces.prompt >= 0 else None

    def beyond(rows: Sequence[int]) -> NDArray[np.float32]:
        found = vectors[list(rows)]
        if prompt is not None:
            found = found - (found @ prompt)[:, None] * prompt
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(length, 1e-6), dtype=np.float32)

    alike = beyond(pieces.reference) @ beyond(pieces.answer).T
    return float(max(alike.max(axis=1).mean(), alike.max(axis=0).mean()))
