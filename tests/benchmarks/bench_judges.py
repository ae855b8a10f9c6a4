"""How many pairs a second do the free judges manage, and do both embedding engines come to the same verdicts?

Pairs are generated: questions of the lab's world with answers of two of its tiers, brought to 60 words where the engines are
timed. Engines take turns in every round on the same pairs; a ratio takes both sides from the same round. Verdicts are compared on
those and on 2,000 more, as they are.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import random
import statistics
import sys
import time
from collections.abc import Sequence

import numpy as np

from judges.contracts import Comparison, Judgment
from judges.embedding import SentenceTransformersEmbedder
from judges.int8_embedding import Int8Embedder
from judges.registry import build_panel
from judges.semantic import SemanticJudge
from shadow.lab.pairs import lab_pairs
from shadow.lab.world import World

CHEAP_PAIRS_PER_SECOND = 1_000
TIMES_TORCH = 2.0
EQUAL_VERDICTS = 0.99
WORDS = 60
_KINDS_OF_TEXT = frozenset({"summary", "order_status", "short_qa"})
_MARGIN = 1e-9


def pairs(n: int, seed: int) -> list[Comparison]:
    """Generated comparisons of every kind of task."""
    return [
        Comparison(
            prompt=p["prompt"],
            answer=p["answer"],
            reference=p["reference"],
            context=p["context"],
            query_type=p["query_type"],
        )
        for p in lab_pairs(World(seed, 1200), n, seed=seed)
    ]


def of_text(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Those of free text: a panel asks the semantic judge about no others."""
    return [c for c in comparisons if c.query_type in _KINDS_OF_TEXT and c.reference]


def of_60_words(comparisons: Sequence[Comparison], seed: int) -> list[Comparison]:
    """Pairs of free text, both answers brought to 60 words by what other answers say."""
    rng = random.Random(seed)
    texts = of_text(comparisons)

    def filled(text: str) -> str:
        said = text.split()
        while len(said) < WORDS:
            said += str(rng.choice(texts).reference).split()
        return " ".join(said[:WORDS])

    return [dataclasses.replace(c, answer=filled(c.answer), reference=filled(c.reference or "")) for c in texts]


def cheap(comparisons: Sequence[Comparison], rounds: int) -> list[float]:
    """Pairs a second of the panel without embeddings, each round on its own part so that nothing is remembered."""
    panel = build_panel(["structured", "lexical", "markers"])
    asyncio.run(panel.judge(comparisons[:50]))
    size = (len(comparisons) - 50) // rounds
    rates = []
    for i in range(rounds):
        part = comparisons[50 + i * size : 50 + (i + 1) * size]
        started = time.perf_counter()
        asyncio.run(panel.judge(part))
        rates.append(len(part) / (time.perf_counter() - started))
    return rates


def engines(
    comparisons: Sequence[Comparison], rounds: int, more: Sequence[Comparison]
) -> tuple[dict[str, list[float]], list[bool]]:
    """Pairs a second by engine, and which verdicts were equal, of `more` as well."""
    judges = {"torch": SemanticJudge(SentenceTransformersEmbedder()), "int8": SemanticJudge(Int8Embedder())}
    for judge in judges.values():
        asyncio.run(judge.judge(comparisons[:4]))
    size = (len(comparisons) - 4) // rounds
    rates: dict[str, list[float]] = {name: [] for name in judges}
    said: dict[str, list[Judgment]] = {name: [] for name in judges}
    for i in range(rounds):
        part = comparisons[4 + i * size : 4 + (i + 1) * size]
        for name in sorted(judges, reverse=bool(i % 2)):
            started = time.perf_counter()
            said[name] += asyncio.run(judges[name].judge(part))
            rates[name].append(len(part) / (time.perf_counter() - started))
    for name, judge in judges.items():
        said[name] += asyncio.run(judge.judge(more))
    return rates, [a.verdict == b.verdict for a, b in zip(said["torch"], said["int8"], strict=True)]


def wilson(found: int, n: int) -> str:
    """A share with its 95 % Wilson interval."""
    share, spread = found / n, 1.96**2 / n
    middle = (share + spread / 2) / (1 + spread)
    half = 1.96 * ((share * (1 - share) + spread / 4) / n) ** 0.5 / (1 + spread)
    return f"{share:.4f} [{middle - half:.4f}, {middle + half:.4f}]"


def interval(values: Sequence[float], seed: int = 0) -> str:
    """Median with its 95 % bootstrap interval over rounds."""
    rng = np.random.default_rng(seed)
    drawn = np.median(rng.choice(np.asarray(values), size=(2_000, len(values))), axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{statistics.median(values):8.2f} [{low:.2f}, {high:.2f}]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print figures and bars; 1 if a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--compare", type=int, default=2_000, help="further pairs on which verdicts are compared")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    made = pairs(options.pairs, options.seed)
    rates = cheap(made, options.rounds)
    print(f"structured + lexical + markers      pairs/s {interval(rates)}")
    texts = of_60_words(made, options.seed)[: 30 * options.rounds]
    by_engine, equal = engines(
        texts, options.rounds, of_text(pairs(3 * options.compare, options.seed + 1))[: options.compare]
    )
    same = sum(equal) / len(equal)
    for name, found in by_engine.items():
        print(f"semantic, {name:5s}, {WORDS}-word answers  pairs/s {interval(found)}")
    ratios = [a / b for a, b in zip(by_engine["int8"], by_engine["torch"], strict=True)]
    print(f"int8 / torch, same round            ratio   {interval(ratios)}")
    print(f"equal verdicts                      share   {wilson(sum(equal), len(equal))} of {len(equal)}")
    bars = (
        (f"{CHEAP_PAIRS_PER_SECOND} pairs/s without embeddings", statistics.median(rates) >= CHEAP_PAIRS_PER_SECOND),
        (f"int8 at least {TIMES_TORCH:g} times torch", statistics.median(ratios) >= TIMES_TORCH),
        (f"equal verdicts at least {EQUAL_VERDICTS:.0%}", same >= EQUAL_VERDICTS - _MARGIN),
    )
    for name, met in bars:
        print(f"{'met   ' if met else 'MISSED'} {name}")
    return 0 if all(met for _, met in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
