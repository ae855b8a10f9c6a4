"""What does each embedding buy for routing, and what does it cost? Run by `make bench-routing DATA=<directory>`.

For every `outcomes-*.jsonl.gz` of the directory: trained on one half, measured on the other, mean over seeded halves, beside
length alone; then how long a decision takes. The bars are for the two sets that they were set for.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from router.chat import read_chat_request
from router.contracts import Hints, Policy
from router.decider import Decider
from router.embedding.choice import embedder_for
from router.gate import Gate
from router.rules import Rules
from router.scorers.learned import LearnedScorer
from router.scorers.model_directory import EmbeddingNeeded
from shadow.outcome_file import OutcomeRow, read_outcomes
from shadow.training.fit import design, fit
from shadow.training.halves import repeated_halves
from shadow.training.observed import of_rows

ENGINES = ("none", "static", "minilm")
DEFAULT = "none"
MMLU, GSM8K = "outcomes-mmlu", "outcomes-gsm8k-routellm-numeric"
MMLU_APGR = 0.645
P50_MS = {"none": 0.3, "static": 0.3, "minilm": 4.0}
WORDS = "Explain in a few words why the sky looks blue at noon but red in the evening near the sea coast"


class Fixed:
    def current(self) -> Policy:
        return Policy(version=1, thresholds={"cheap": 0.8}, band=0.05)


def show(figure: dict[str, float | None]) -> str:
    if figure["value"] is None:
        return "-"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def halves(path: Path, rows: Sequence[OutcomeRow], repeat: int, engines: Sequence[str]) -> dict[str, Any]:
    """The figures of each engine, printed as they come."""
    print(f"\n{path.name}: {len(rows)} requests, mean of {repeat} seeded halves (95 %, corrected for their overlap)")
    print(f"{'embedding':10} {'APGR':24} {'length alone':24} {'difference':25} {'CPT50':24} calibration error by tier")
    found = {}
    for name in engines:
        engine = None if name == "none" else embedder_for(name)  # type: ignore[arg-type]
        known = design([row.features for row in rows], engine)
        report = found[name] = repeated_halves(rows, known, seed=0, repeat=repeat)
        errors = ", ".join(f"{tier} {show(figure)}" for tier, figure in report["calibration_error"].items())
        cells = [report[part]["apgr"] for part in ("learned", "length", "difference")] + [report["learned"]["cpt50"]]
        print(f"{name:10} {'  '.join(f'{show(cell):24}' for cell in cells)} {errors}", flush=True)
    return found


def latency(rows: Sequence[OutcomeRow], engine_name: str, calls: int) -> tuple[float, float]:
    """p50 and p99 of a whole decision on 20 words, in milliseconds."""
    engine = None if engine_name == "none" else embedder_for(engine_name)  # type: ignore[arg-type]
    needed = EmbeddingNeeded(name=engine.name, version=engine.version) if engine else None
    part = rows[:400]
    known = design([row.features for row in part], engine)
    model = fit(known, of_rows(part).successes, ("cheap", "dear"), seed=0, embedding=needed).model
    decider = Decider(
        gate=Gate.of(model.tiers, dict.fromkeys(model.tiers, 100_000), Rules.of(())),
        scorer=LearnedScorer(model, engine),
        policy=Fixed(),
    )

    async def measure() -> list[float]:
        taken = []
        for at in range(calls):
            body = f'{{"model": "auto", "messages": [{{"role": "user", "content": "{at} {WORDS}"}}]}}'
            request = read_chat_request(body.encode())
            started = time.perf_counter()
            await decider.decide(request, Hints(), None)
            taken.append(1000 * (time.perf_counter() - started))
        return taken[calls // 10 :]

    p50, p99 = np.quantile(asyncio.run(measure()), [0.5, 0.99])
    return float(p50), float(p99)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="directory with outcomes-*.jsonl.gz")
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument(
        "--engines", nargs="+", default=ENGINES, choices=ENGINES, help=f"{DEFAULT} is needed for the bars"
    )
    parser.add_argument("--only", help="only files whose name contains this")
    options = parser.parse_args()
    paths = [path for path in sorted(options.data.glob("outcomes-*.jsonl*")) if (options.only or "") in path.name]
    if not paths:
        sys.exit(f"{options.data}: no outcomes-*.jsonl.gz there")
    missed = []
    rows: list[OutcomeRow] = []
    for path in paths:
        rows = [row for row in read_outcomes(path) if isinstance(row, OutcomeRow)]
        found = halves(path, rows, options.repeat, options.engines)[DEFAULT]
        name = path.name.partition(".")[0]
        if name == MMLU and found["learned"]["apgr"]["value"] < MMLU_APGR:
            missed.append(f"{name}: APGR below {MMLU_APGR}")
        if name == GSM8K and found["difference"]["apgr"]["value"] < 0:
            missed.append(f"{name}: below length alone")
    print("\nA decision on 20 words, ms\nembedding       p50      p99    bar (p50)")
    for engine in options.engines:
        p50, p99 = latency(rows, engine, options.calls)
        print(f"{engine:10} {p50:8.3f} {p99:8.3f} {P50_MS[engine]:8.1f}")
        if p50 > P50_MS[engine]:
            missed.append(f"{engine}: a decision takes {p50:.3f} ms")
    print("\n" + ("\n".join(f"MISSED {line}" for line in missed) if missed else "All bars are met."))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
