"""Are the figures as sure as they say, do certified policies keep epsilon, do alarms stay quiet? Simulated, with known truth.

Run: python tests/benchmarks/bench_statistics.py [--seed 1] [--only coverage|noise|tuning|sampling|processes]. Prints every cell
of the coverage design and a table of bars; exit 1 if one is missed. The whole run takes up to 20 minutes on two cores.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "statistics"))

import coverage_cells
import noise_rows
import process_rows
import sampling_rows
import tuning_rows
from bars import Row

PARTS = ("coverage", "noise", "tuning", "sampling", "processes")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4000, help="of each cell of the coverage design")
    parser.add_argument("--tuning-runs", type=int, default=800)
    parser.add_argument("--sampling-runs", type=int, default=1000)
    parser.add_argument("--process-runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", default="", help="only the coverage cells whose part's name contains this")
    parser.add_argument("--only", choices=PARTS, help="one of the five tables")
    arguments = parser.parse_args()
    wanted = (arguments.only,) if arguments.only else PARTS
    print(
        f"seed {arguments.seed}, level .95, 200 labels unless said otherwise, epsilon .03, delta .1, alpha .05, q .05"
    )
    start = time.monotonic()
    with ProcessPoolExecutor(max_workers=2) as pool:
        later = _submitted(pool, arguments, wanted)
        rows: list[Row] = []
        if "coverage" in wanted:
            measure = partial(coverage_cells.measure, runs=arguments.runs, seed=arguments.seed)
            rows += coverage_cells.report(pool.map(measure, coverage_cells.chosen(arguments.part)), runs=arguments.runs)
        for part in later:
            rows += part.result()
    print(f"{'':88} {'runs':>6} {'found':>8}  bar")
    for row in rows:
        print(row.line())
    missed = sum(not row.met for row in rows)
    print(f"{len(rows)} rows, {missed} missed their bar, {time.monotonic() - start:.0f} s")
    return 1 if missed else 0


def _submitted(
    pool: ProcessPoolExecutor, arguments: argparse.Namespace, wanted: tuple[str, ...]
) -> list[Future[list[Row]]]:
    """All but the cells: the long ones are begun first."""
    jobs = []
    if "tuning" in wanted:
        jobs += [(partial(tuning_rows.run, part), arguments.tuning_runs) for part in range(len(tuning_rows.PARTS))]
    if "noise" in wanted:
        jobs.append((noise_rows.run, arguments.runs))
    if "sampling" in wanted:
        jobs.append((sampling_rows.run, arguments.sampling_runs))
    if "processes" in wanted:
        jobs += [(partial(process_rows.run, part), arguments.process_runs) for part in range(len(process_rows.PARTS))]
    return [pool.submit(job, runs=runs, seed=arguments.seed) for job, runs in jobs]


if __name__ == "__main__":
    sys.exit(main())
