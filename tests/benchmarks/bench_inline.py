"""What does the router cost beside a bare pass-through on the same server and client? Both are measured in turn, in one run.

    python tests/benchmarks/bench_inline.py [--seconds 3] [--rounds 5] [--json]

One router process with rules, the learned scorer (trained here, on generated outcomes), spool and 5 % sampling, in front of a
loopback upstream that answers at once; prompts of twenty words. A second one reads them with MiniLM; the bars are for the
first. Ratios are medians over rounds, with a bootstrap interval.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from loopback.processes import (
    LOAD_CORE,
    SERVER_CORE,
    first_line,
    free_port,
    measured,
    memory_mb,
    process,
    script,
    wait_until_listening,
)

TOPICS = [
    "the capital of France",
    "a parcel from Lyon",
    "the orbit of Mars",
    "a contract of sale",
    "an integral",
    "rice",
]
CONNECTIONS = (1, 32)


def outcomes(count: int = 1200, seed: int = 1) -> list[dict[str, Any]]:
    """Prompts of growing length whose hard half only the top tier solves, with noise."""
    rng = np.random.default_rng(seed)
    lines = []
    for at in range(count):
        hard = rng.random() < 0.5
        words = " ".join(rng.choice(TOPICS, size=int(rng.integers(1, 4) + 6 * hard)))
        prompt = f"{'Prove step by step that' if hard else 'What is'} {words} number {at}?"
        chances = {"fast": 0.4 if hard else 0.95, "mid": 0.7 if hard else 0.95, "frontier": 0.95}
        tiers = {
            tier: {"success": int(rng.random() < chance), "cost_usd": cost}
            for (tier, chance), cost in zip(chances.items(), (0.0001, 0.001, 0.01), strict=True)
        }
        lines.append({"id": str(at), "prompt": prompt, "outcomes": tiers})
    return lines


def config(upstream_port: int, port: int, data_dir: Path, scorer: dict[str, Any]) -> dict[str, Any]:
    price = {"input_usd_per_mtok": 0.5, "output_usd_per_mtok": 1.5}
    tiers = [
        {"name": name, "models": [{"provider": "loop", "model": f"{name}-1", "price": price}]}
        for name in ("fast", "mid", "frontier")
    ]
    rules = [
        {"name": "contracts", "when": {"feature": ["legal"]}, "tier": "frontier"},
        {"name": "secrets", "when": {"contains_any": ["password", "contract of sale"]}, "tier": "frontier"},
        {"name": "long", "when": {"min_context_tokens": 30000}, "tier": "frontier"},
        {"name": "labels", "when": {"query_type": "classification", "max_words": 200}, "tier": "fast"},
        {"name": "careful", "when": {"impact": "high", "min_words": 500}, "tier": "frontier"},
    ]
    return {
        "providers": {"loop": {"kind": "openai", "base_url": f"http://127.0.0.1:{upstream_port}/v1"}},
        "tiers": tiers,
        "routing": {"thresholds": {"fast": 0.8, "mid": 0.8}, "rules": rules, "scorer": scorer},
        "sampling": {"up": 0.05},
        "data_dir": str(data_dir),
        "server": {"port": port, "control_port": free_port()},
    }


@contextlib.contextmanager
def router(folder: Path, upstream_port: int, scorer: dict[str, Any]) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A router process on a core of its own: its port and the process."""
    port = free_port()
    folder.mkdir()
    file = folder / "shadow.yaml"
    file.write_text(yaml.safe_dump(config(upstream_port, port, folder / "data", scorer)))
    command = [sys.executable, "-m", "shadow.role", "router", "--config", str(file)]
    log = (folder / "router.log").open("w")
    with log, process(command, SERVER_CORE, stderr=log) as child:
        wait_until_listening(port, child)
        yield port, child


def trained(folder: Path, *options: str) -> Path:
    file, model = folder / "outcomes.jsonl", folder / f"model{len(options)}"
    file.write_text("".join(json.dumps(line) + "\n" for line in outcomes()))
    shadow = [str(Path(sys.executable).with_name("shadow")), "train", str(file), "--out", str(model), *options]
    subprocess.run(shadow, check=True, stdout=subprocess.DEVNULL)
    return model


def interval(values: list[float]) -> tuple[float, float, float]:
    """Median with a 95 % bootstrap interval."""
    rng = np.random.default_rng(1)
    drawn = np.median(rng.choice(values, (4000, len(values))), axis=1)
    return float(np.median(values)), *(float(v) for v in np.percentile(drawn, [2.5, 97.5]))


def shown(found: tuple[float, float, float], digits: int = 2) -> str:
    return f"{found[0]:.{digits}f} ({found[1]:.{digits}f}-{found[2]:.{digits}f})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder_name, contextlib.ExitStack() as stack:
        folder = Path(folder_name)
        print("training the learned scorer on generated outcomes", file=sys.stderr)
        model, reading = trained(folder), trained(folder, "--embedding", "minilm")
        upstream_port = first_line(stack.enter_context(process(script("upstream.py"), LOAD_CORE)))
        bare = stack.enter_context(process(script("bare.py", upstream_port), SERVER_CORE, cwd=folder))
        rows: dict[str, tuple[int, subprocess.Popen[str] | None]] = {
            "upstream alone": (upstream_port, None),
            "bare pass-through": (first_line(bare), bare),
            "router": stack.enter_context(
                router(folder / "learned", upstream_port, {"kind": "learned", "model_dir": str(model)})
            ),
            "router, MiniLM": stack.enter_context(
                router(folder / "minilm", upstream_port, {"kind": "learned", "model_dir": str(reading)})
            ),
        }
        wait_until_listening(rows["bare pass-through"][0], bare)
        for port, _ in rows.values():
            measured(port, connections=8, seconds=1)
        seen: dict[str, dict[int, list[dict[str, Any]]]] = {name: {n: [] for n in CONNECTIONS} for name in rows}
        for number in range(options.rounds):
            for name, (port, _) in rows.items():
                for connections in CONNECTIONS:
                    seen[name][connections].append(measured(port, connections=connections, seconds=options.seconds))
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        memory = {name: memory_mb(child) for name, (_, child) in rows.items() if child is not None}
    return report(seen, memory, as_json=options.json)


def report(seen: dict[str, dict[int, list[dict[str, Any]]]], memory: dict[str, float], *, as_json: bool) -> int:
    result: dict[str, Any] = {}
    many, one = max(CONNECTIONS), min(CONNECTIONS)
    alone = seen["upstream alone"][one]
    for name, by_connections in seen.items():
        speed = [run["per_second"] for run in by_connections[many]]
        base = [run["per_second"] for run in seen["bare pass-through"][many]]
        added = [run["p50_ms"] - up["p50_ms"] for run, up in zip(by_connections[one], alone, strict=True)]
        bare_added = [r["p50_ms"] - u["p50_ms"] for r, u in zip(seen["bare pass-through"][one], alone, strict=True)]
        result[name] = {
            "per_second_32": interval(speed),
            "throughput_ratio": interval([a / b for a, b in zip(speed, base, strict=True)]),
            "added_p50_ms": interval(added),
            "added_ratio": interval([a / b for a, b in zip(added, bare_added, strict=True)]),
            "p99_ms_32": interval([run["p99_ms"] for run in by_connections[many]]),
            "memory_mb": memory.get(name),
        }
    router_row = result["router"]
    bars = {
        "throughput at 32 connections >= .5x the bare one": router_row["throughput_ratio"][0] >= 0.5,
        "added p50 at 1 connection <= 3x the bare one's": router_row["added_ratio"][0] <= 3,
        "memory of the router < 250 MB": router_row["memory_mb"] < 250,
    }
    if as_json:
        print(json.dumps({"rows": result, "bars": bars}))
    else:
        heads = ["requests/s at 32", "x bare", "added p50 ms at 1", "x bare", "p99 ms at 32"]
        print(f"{'':22} {heads[0]:>22}", *(f"{head:>20}" for head in heads[1:]), f"{'MB':>5}")
        for name, row in result.items():
            size = "-" if row["memory_mb"] is None else f"{row['memory_mb']:.0f}"
            print(
                f"{name:22} {shown(row['per_second_32'], 0):>22} {shown(row['throughput_ratio']):>20}"
                f" {shown(row['added_p50_ms'], 3):>20} {shown(row['added_ratio']):>20} {shown(row['p99_ms_32'], 1):>20} {size:>5}"
            )
        for name, met in bars.items():
            print(f"{'met   ' if met else 'MISSED'}  {name}")
    return 0 if all(bars.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
