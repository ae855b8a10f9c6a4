"""How often is the type of a request told right from ten examples of each, how often is a foreign request recognised, how fast?

Run: python tests/benchmarks/bench_query_type.py DATA [--draws 10] [--seed 1] [--embedding static minilm]. DATA holds
intents-banking77.jsonl.gz and intents-clinc150.jsonl.gz, rows {"prompt", "intent", "split"}. Prints a table; exit 1 if the better
embedding misses the bar on banking77. Examples are drawn from split train, figures are of split test; the interval is 95 % of
the mean over the draws (Student's t).
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from router.embedding.choice import EmbeddingKind, embedder_for
from router.query_types.examples import read_examples
from router.query_types.nearest import NearestType

EXAMPLES = 10
BAR, GOAL = 0.85, 0.90
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4)
SHIPPED_SHARE = 0.1
TWENTY_WORDS = "I paid with my card at the market this morning and now the app shows the same payment twice, why?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Texts of one split, their vectors and intents."""

    texts: list[str]
    vectors: NDArray[np.float32]
    intents: list[str]


class Remembered:
    """An embedder that computes each text once: the draws share most of them."""

    def __init__(self, kind: EmbeddingKind) -> None:
        self.inner = embedder_for(kind)
        self.name, self.version, self.dimensions = self.inner.name, self.inner.version, self.inner.dimensions
        self._known: dict[str, NDArray[np.float32]] = {}

    def embed(self, text: str) -> NDArray[np.float32]:
        if text not in self._known:
            self._known[text] = self.inner.embed(text)
        return self._known[text]


def read(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def split(rows: list[dict[str, str]], name: str, embedder: Remembered) -> Requests:
    chosen = [row for row in rows if row["split"] == name]
    texts = [row["prompt"] for row in chosen]
    return Requests(
        texts=texts,
        vectors=np.stack([embedder.embed(text) for text in texts]),
        intents=[row["intent"] for row in chosen],
    )


def drawn(rows: list[dict[str, str]], rng: np.random.Generator) -> dict[str, list[str]]:
    """Ten examples of each intent."""
    texts: dict[str, list[str]] = {}
    for row in rows:
        if row["split"] == "train":
            texts.setdefault(row["intent"], []).append(row["prompt"])
    return {name: [of[i] for i in rng.choice(len(of), EXAMPLES, replace=False)] for name, of in sorted(texts.items())}


def told(classifier: NearestType, requests: Requests) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether the nearest type is the right one, and its cosine."""
    found = [classifier.centroids.nearest(vector) for vector in requests.vectors]
    right = [near.group == intent for near, intent in zip(found, requests.intents, strict=True)]
    return np.array(right), np.array([near.cosine for near in found])


def interval(values: list[float]) -> str:
    mean, error = float(np.mean(values)), stats.sem(values)
    half = float(stats.t.ppf(0.975, len(values) - 1)) * float(error)
    return f"{mean:.3f} [{mean - half:.3f}, {mean + half:.3f}]"


def milliseconds(classifier: NearestType, repeats: int = 500) -> tuple[float, float]:
    """p50 and p99 of one classification of 20 words, never the same text twice."""
    texts = [f"{TWENTY_WORDS} {i}" for i in range(repeats)]
    taken = []
    for text in texts:
        started = time.perf_counter_ns()
        classifier.classify(text)
        taken.append((time.perf_counter_ns() - started) / 1e6)
    return float(np.quantile(taken, 0.5)), float(np.quantile(taken, 0.99))


def banking(rows: list[dict[str, str]], embedder: Remembered, draws: int, seed: int) -> float:
    test = split(rows, "test", embedder)
    accuracies = []
    for draw in range(draws):
        examples = drawn(rows, np.random.default_rng((seed, draw)))
        right, _ = told(NearestType.of(examples, embedder, unknown_share=0), test)
        accuracies.append(float(right.mean()))
    print(
        f"  banking77, 77 intents, {len(test.texts)} requests: accuracy {interval(accuracies)}, {draws} draws",
        flush=True,
    )
    return float(np.mean(accuracies))


def clinc(rows: list[dict[str, str]], embedder: Remembered, draws: int, seed: int) -> None:
    known = split(rows, "test", embedder)
    foreign = split(rows, "oos_test", embedder)
    figures: dict[float, list[tuple[float, float, float]]] = {share: [] for share in SHARES}
    forced = []
    in_scope = [row for row in rows if row["intent"] != "oos"]
    for draw in range(draws):
        examples = drawn(in_scope, np.random.default_rng((seed, draw)))
        for share in SHARES:
            classifier = NearestType.of(examples, embedder, unknown_share=share)
            right, cosines = told(classifier, known)
            _, foreign_cosines = told(classifier, foreign)
            named, left = cosines >= classifier.least_cosine, foreign_cosines < classifier.least_cosine
            precision = left.sum() / (left.sum() + (~named).sum())
            figures[share].append((float((right & named).mean()), float(left.mean()), float(precision)))
        forced.append(float(right.mean()))
    print(f"  clinc150, 150 intents, {len(known.texts)} requests: accuracy {interval(forced)} if all are given a type")
    for share, rows_of in figures.items():
        accuracy, recall, precision = (interval([row[i] for row in rows_of]) for i in range(3))
        mark = " (shipped)" if share == SHIPPED_SHARE else ""
        print(
            f"    unknown_share {share:.2f}{mark}: in scope and right {accuracy};"
            f" out of scope ({len(foreign.texts)}) recall {recall}, precision {precision}",
            flush=True,
        )


def builtin(embedder: Remembered) -> None:
    """The built-in types on their own examples, a fifth held out at a time."""
    examples = read_examples()
    named: list[bool] = []
    total = 0
    for fold in range(5):
        kept = {name: [text for i, text in enumerate(texts) if i % 5 != fold] for name, texts in examples.items()}
        classifier = NearestType.of(kept, embedder, unknown_share=SHIPPED_SHARE)
        for name, texts in examples.items():
            for text in texts[fold::5]:
                total += 1
                if (said := classifier.classify(text)) != "unknown":
                    named.append(said == name)
    right = stats.binomtest(sum(named), len(named)).proportion_ci(method="wilson")
    print(
        f"  built-in types, {len(examples)} with {total} examples: {len(named) / total:.2f} are given a type,"
        f" of these right {np.mean(named):.3f} [{right.low:.3f}, {right.high:.3f}]"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--embedding", nargs="+", default=["static", "minilm"], choices=["static", "minilm"])
    arguments = parser.parse_args()
    sets = {name: read(arguments.data / f"intents-{name}.jsonl.gz") for name in ("banking77", "clinc150")}
    best = 0.0
    for kind in arguments.embedding:
        embedder = Remembered(kind)
        shipped = NearestType.of(read_examples(), embedder.inner, unknown_share=SHIPPED_SHARE)
        p50, p99 = milliseconds(shipped)
        print(
            f"{kind} ({embedder.dimensions} dimensions): 20 words take {p50:.3f} ms (p50), {p99:.3f} ms (p99)",
            flush=True,
        )
        builtin(embedder)
        best = max(best, banking(sets["banking77"], embedder, arguments.draws, arguments.seed))
        clinc(sets["clinc150"], embedder, arguments.draws, arguments.seed)
    print(f"banking77, the better embedding: {best:.3f}, bar {BAR}, goal {GOAL}")
    return 0 if best >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
