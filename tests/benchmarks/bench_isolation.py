"""Does the shadow side touch a client's latency? Quiet and disturbed phases alternate in one run; ratios are printed.

    python tests/benchmarks/bench_isolation.py [--seconds 30] [--rounds 2] [--rate 40] [--json]

Clients are pinned to the cheap tier, so that the frontier model is asked by mirrors only. Disturbances: that provider refuses, it
hangs for 60 s, the database is stopped (SIGSTOP) for the whole phase. Every disturbed phase is compared with the quiet phases
just before and after it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable

import numpy as np

from shadow.lab.audience import Audience
from shadow.lab.traffic import Traffic
from shadow.lab.world import World
from shadow.testing import Product, running_product

FRONTIER = "lab-frontier-2026-05"


def disturb(product: Product, name: str) -> Callable[[], None]:
    """Start a disturbance; returns what ends it."""
    if name == "database stopped":
        processes = product.database()
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        return lambda: [process.send_signal(signal.SIGCONT) for process in processes] and None
    mode = {"mirror refused": "down", "mirror hangs": "hang"}[name]
    product.set_faults({FRONTIER: {"mode": mode, "seconds": 60}})
    return lambda: product.set_faults({FRONTIER: {"mode": "none"}})


def measure(product: Product, seconds: float, rate: float, seed: int) -> tuple[np.ndarray, dict[str, int]]:
    audience = Audience(world=World(1, items=200), rate=rate, seed=seed)
    traffic = Traffic(audience, product.base_url, model="fast", timeout_seconds=30)
    statistics = asyncio.run(traffic.run(seconds))
    return np.array([one.latency_seconds for one in traffic.served if one.failure is None]), statistics.failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="length of a phase")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    phases: list[tuple[str, np.ndarray, dict[str, int]]] = []
    with running_product() as product:
        measure(product, 5, options.rate, seed=0)  # warm up: judges load, pools fill
        plan = ["quiet"]
        for _ in range(options.rounds):
            for name in ("mirror refused", "mirror hangs", "database stopped"):
                plan += [name, "quiet"]
        for number, name in enumerate(plan):
            end = disturb(product, name) if name != "quiet" else None
            try:
                latencies, failures = measure(product, options.seconds, options.rate, seed=number + 1)
            finally:
                if end is not None:
                    end()
            phases.append((name, latencies, failures))
            p50, p99 = np.percentile(latencies, [50, 99]) * 1000
            line = f"{name:18} {len(latencies):6} answered  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  failed {failures}"
            print(line, file=sys.stderr)
            time.sleep(1)
    result = summary(phases)
    if options.json:
        print(json.dumps(result))
    else:
        for name, found in result.items():
            print(f"{name:18} p50 x{found['p50_ratio']:.3f}  p99 x{found['p99_ratio']:.3f}  failed {found['failed']}")
    return 0


def summary(phases: list[tuple[str, np.ndarray, dict[str, int]]]) -> dict[str, dict[str, float]]:
    """Each disturbance against the quiet phases around it, all rounds pooled."""
    result = {}
    for name in dict.fromkeys(name for name, _, _ in phases if name != "quiet"):
        places = [i for i, phase in enumerate(phases) if phase[0] == name]
        disturbed = np.concatenate([phases[i][1] for i in places])
        quiet = np.concatenate([phases[j][1] for i in places for j in (i - 1, i + 1)])
        ratios = np.percentile(disturbed, [50, 99]) / np.percentile(quiet, [50, 99])
        failed = sum(sum(phases[i][2].values()) for i in places)
        result[name] = {"p50_ratio": float(ratios[0]), "p99_ratio": float(ratios[1]), "failed": failed}
    return result


if __name__ == "__main__":
    sys.exit(main())
