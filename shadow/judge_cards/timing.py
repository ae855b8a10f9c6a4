"""How long does a judge take, and how large is what it would send to a language model? On generated answers of fixed lengths."""

from __future__ import annotations

import functools
import itertools
import random
import time
from typing import Any

import numpy as np

from judges.contracts import Comparison, Judge
from judges.pairwise import render as pairwise_prompt
from judges.panel import Panel
from judges.rubric import render as rubric_prompt
from shadow.lab.pairs import lab_pairs
from shadow.lab.world import World

WORDS = (20, 60, 200)
_ITEMS, _PAIRS = 200, 300
_TEXTS = frozenset({"summary", "order_status", "short_qa"})
_BATCH = 32
_CHARACTERS_PER_TOKEN = 4


def pairs_of(words: int, n: int, *, seed: int = 1) -> list[Comparison]:
    """Pairs of free text, both answers brought to so many words by what other answers say."""
    rng = random.Random(seed + words)  # noqa: S311 - filler, no secret
    drawn = _drawn(seed)

    def filled(text: str) -> str:
        said = text.split()
        while len(said) < words:
            said += str(rng.choice(drawn)["reference"]).split()
        return " ".join(said[:words])

    return [
        Comparison(
            prompt=pair["prompt"],
            answer=filled(pair["answer"]),
            reference=filled(pair["reference"]),
            query_type=pair["query_type"],
        )
        for pair in itertools.islice(itertools.cycle(drawn), n)
    ]


@functools.cache
def _drawn(seed: int) -> list[dict[str, Any]]:
    return [pair for pair in lab_pairs(World(seed, _ITEMS), _PAIRS, seed=seed) if pair["query_type"] in _TEXTS]


async def timings(judge: Judge | Panel, n: int) -> list[dict[str, Any]]:
    """Milliseconds a pair, one at a time (p50, p95), and pairs a second in batches, by length of the answers."""
    rows = []
    for words in WORDS:
        singles, batch = pairs_of(words, n), pairs_of(words, n, seed=2)
        await judge.judge(pairs_of(words, 2, seed=3))
        took = []
        for comparison in singles:
            began = time.perf_counter()
            await judge.judge([comparison])
            took.append(time.perf_counter() - began)
        began = time.perf_counter()
        for start in range(0, len(batch), _BATCH):
            await judge.judge(batch[start : start + _BATCH])
        rate = len(batch) / (time.perf_counter() - began)
        p50, p95 = np.percentile(took, [50, 95])
        rows.append(
            {
                "words": words,
                "pairs": n,
                "p50_ms": float(f"{1000 * p50:.3g}"),
                "p95_ms": float(f"{1000 * p95:.3g}"),
                "pairs_per_second": float(f"{rate:.3g}"),
            }
        )
    return rows


def prompt_tokens(name: str, n: int) -> list[dict[str, Any]]:
    """About how many tokens one call to a language model sends, by length of the answers; four characters a token."""
    rows = []
    for words in WORDS:
        lengths = [len(_prompt(name, comparison)) for comparison in pairs_of(words, n)]
        rows.append({"words": words, "tokens": round(float(np.mean(lengths)) / _CHARACTERS_PER_TOKEN)})
    return rows


def _prompt(name: str, comparison: Comparison) -> str:
    nonce = "0" * 16
    if name == "rubric":
        return rubric_prompt(comparison, nonce=nonce)
    return pairwise_prompt(comparison, answer_first=True, nonce=nonce)
