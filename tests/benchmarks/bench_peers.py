"""How fast is the router beside other proxies? All in front of the same upstream, under the same load, in turn, in one run.

    python tests/benchmarks/bench_peers.py [--seconds 2] [--rounds 6] [--folder .bench] [--json]

Each is one process with a core of its own; the load and the upstream (nginx with a fixed completion, ours where there is no
nginx) share the other one. The router runs with rules, the learned scorer (trained here, on generated outcomes), the spool and
5 % sampling. The draw itself, and what follows it, are the work of other processes, which do not run here: see bench_isolation
for what they do to clients. Exit code 1: a bar is missed. 2: a bar could not be measured, as a peer is absent.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from bench_inline import router, shown, trained
from loopback.processes import LOAD_CORE, first_line, measured, memory_mb, process, script
from peers import install, servers

OURS = "shadowtier"
MANY, ONE = 32, 1
PORTKEY_BAR, LITELLM_BAR, ADDED_BAR_MS = 2.5, 25.0, 0.7
#: Seconds of load before anything is counted. Just-in-time compilers need some.
WARM_UP_SECONDS = 3.0


@dataclass(slots=True)
class Row:
    """One proxy, or the upstream alone. runs: by number of connections, one for each round."""

    port: int
    version: str
    child: subprocess.Popen[str] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    runs: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: {ONE: [], MANY: []})
    memory_mb: float | None = None

    def measure(self, connections: int, seconds: float) -> dict[str, Any]:
        return measured(self.port, connections=connections, seconds=seconds, headers=self.headers)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--folder", type=Path, default=Path(".bench"), help="where the others are installed")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="shadowtier-") as name, contextlib.ExitStack() as stack:
        Path(name).chmod(0o711)  # nginx's workers give up root
        rows, absent = start(stack, Path(name), options.folder.absolute())
        for row in rows.values():
            row.measure(MANY, WARM_UP_SECONDS)
            row.measure(ONE, 0.5)
        for number in range(options.rounds):
            for row in rows.values():
                for connections in (ONE, MANY):
                    row.runs[connections].append(row.measure(connections, options.seconds))
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        for row in rows.values():
            row.memory_mb = memory_mb(row.child) if row.child is not None else None
    return report(rows, absent, as_json=options.json)


def start(stack: contextlib.ExitStack, folder: Path, installed: Path) -> tuple[dict[str, Row], list[str]]:
    """Everything running, in the order of the table, and a line for each peer that is absent."""
    rows: dict[str, Row] = {}
    absent: list[str] = []
    try:
        upstream_port = stack.enter_context(servers.nginx_upstream(folder))
        nginx = install.nginx_version()
        rows["upstream alone"] = Row(upstream_port, f"nginx {nginx}")
        port, child = stack.enter_context(servers.nginx_proxy(folder, upstream_port))
        rows["nginx"] = Row(port, nginx, child)
    except install.AbsentError as missing:
        absent.append(str(missing))
        upstream_port = first_line(stack.enter_context(process(script("upstream.py"), LOAD_CORE)))
        rows["upstream alone"] = Row(upstream_port, "ours")
    print("training the learned scorer on generated outcomes", file=sys.stderr, flush=True)
    scorer = {"kind": "learned", "model_dir": str(trained(folder))}
    port, child = stack.enter_context(router(folder / "router", upstream_port, scorer))
    rows[OURS] = Row(port, version("shadowtier"), child)
    try:
        command = install.portkey(installed)
        port, child = stack.enter_context(servers.portkey(folder, command))
        rows["Portkey"] = Row(port, servers.portkey_version(command), child, servers.portkey_headers(upstream_port))
    except install.AbsentError as missing:
        absent.append(str(missing))
    try:
        port, child = stack.enter_context(servers.litellm(folder, upstream_port, install.litellm(installed)))
        rows["LiteLLM"] = Row(port, install.LITELLM_VERSION, child)
    except install.AbsentError as missing:
        absent.append(str(missing))
    return rows, absent


def interval(values: list[float]) -> tuple[float, float, float]:
    """Mean over the rounds with a 95 % bootstrap interval, rounds drawn with replacement."""
    drawn = np.random.default_rng(1).choice(values, (10_000, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return statistics.fmean(values), float(low), float(high)


def ratio(ours: list[float], theirs: list[float]) -> tuple[float, float, float]:
    """Mean of ours over mean of theirs with a 95 % bootstrap interval: both were measured in each round, so rounds are drawn."""
    rounds = np.random.default_rng(1).integers(0, len(ours), (10_000, len(ours)))
    drawn = np.array(ours)[rounds].mean(axis=1) / np.array(theirs)[rounds].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return statistics.fmean(ours) / statistics.fmean(theirs), float(low), float(high)


def report(rows: dict[str, Row], absent: list[str], *, as_json: bool) -> int:
    def series(name: str, connections: int, key: str) -> list[float]:
        return [run[key] for run in rows[name].runs[connections]]

    alone = {c: {k: series("upstream alone", c, k) for k in ("p50_ms", "p99_ms")} for c in (ONE, MANY)}
    table: dict[str, Any] = {}
    for name, row in rows.items():
        cells: dict[str, Any] = {"version": row.version, "memory_mb": row.memory_mb}
        for c in (ONE, MANY):
            cells[f"per_second_{c}"] = interval(series(name, c, "per_second"))
            for key in ("p50_ms", "p99_ms"):
                added = [mine - base for mine, base in zip(series(name, c, key), alone[c][key], strict=True)]
                cells[f"added_{key}_{c}"] = interval(added)
        cells["ours_over_this"] = ratio(series(OURS, MANY, "per_second"), series(name, MANY, "per_second"))
        table[name] = cells
    bars: dict[str, bool | None] = {
        f"requests/s at {MANY} connections >= {PORTKEY_BAR:g} x Portkey's": _beats(table, "Portkey", PORTKEY_BAR),
        f"requests/s at {MANY} connections >= {LITELLM_BAR:g} x LiteLLM's": _beats(table, "LiteLLM", LITELLM_BAR),
        f"added p50 at {ONE} connection <= {ADDED_BAR_MS} ms": table[OURS]["added_p50_ms_1"][0] <= ADDED_BAR_MS,
    }
    if as_json:
        print(json.dumps({"rows": table, "absent": absent, "bars": bars}))
    else:
        _print(table, absent, bars)
    if False in bars.values():
        return 1
    return 2 if None in bars.values() else 0


def _beats(table: dict[str, Any], name: str, bar: float) -> bool | None:
    """None: the peer is absent."""
    return bool(table[name]["ours_over_this"][0] >= bar) if name in table else None


def _print(table: dict[str, Any], absent: list[str], bars: dict[str, bool | None]) -> None:
    heads = [
        "p50 ms added, 1",
        "p99 ms added, 1",
        "requests/s, 1",
        "p99 ms added, 32",
        "requests/s, 32",
        "ours is x this",
    ]
    print(f"{'':27}" + "".join(f"{head:>21}" for head in heads) + f"{'MB':>7}")
    for name, row in table.items():
        first = name == "upstream alone"
        cells = [
            "-" if first else shown(row["added_p50_ms_1"]),
            "-" if first else shown(row["added_p99_ms_1"]),
            shown(row["per_second_1"], 0),
            "-" if first else shown(row["added_p99_ms_32"], 1),
            shown(row["per_second_32"], 0),
            "-" if name == OURS else shown(row["ours_over_this"]),
        ]
        size = "-" if row["memory_mb"] is None else f"{row['memory_mb']:.0f}"
        print(f"{name + ' ' + row['version']:27}" + "".join(f"{cell:>21}" for cell in cells) + f"{size:>7}")
    print("in brackets: 95 % bootstrap interval over the rounds")
    for line in absent:
        print(f"absent  {line}")
    words = {True: "met", False: "MISSED", None: "absent"}
    for bar, met in bars.items():
        print(f"{words[met]:7} {bar}")


if __name__ == "__main__":
    sys.exit(main())
