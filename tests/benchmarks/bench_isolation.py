"""Does mirroring touch a client's latency? Sampling at 5 % against none, with the shadow provider healthy, hanging and refusing.

    python tests/benchmarks/bench_isolation.py [--runs 20] [--quick] [--seconds 4.5] [--rate 100] [--provider-ms 15] [--json]

One `shadow up` with everything it has: router, intake, worker with the judges, scheduler, embedded PostgreSQL. Clients come at a
fixed rate, whatever happens, and are served by one provider; mirrors ask another one, which is healthy, hangs (accepts and never
answers) or refuses (nobody listens). Runs come in pairs, one with sampling and one without, in random order and with the same
arrivals and prompts; between runs the shadow side works off what it has. A run begins with a settling time that is not counted,
so that mirrors and judges are at work throughout what is. For each condition: the median of the paired ratios of p50 and p99, and
an upper 95 % bound from the sign test. Pairs during which other processes used the machine are measured again and left out.
A fourth condition, without a bar, stops the database (SIGSTOP) against letting it run.
Exit code 1: a bar is missed, or a request failed. 2: no pair was undisturbed.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from isolation.bed import CONDITIONS, Bed, bed, cpu_used
from isolation.paired import Ratio, median_ratio
from isolation.strangers import Strangers

P50_BAR, P99_BAR = 1.03, 1.15
SAMPLING = 0.05
#: More of a core than this used by processes that are not ours, and the pair does not count. The rule looks at no latency.
STRANGERS = 0.10
DATABASE_STOPPED = "database stopped"
CLIENT = Path(__file__).with_name("isolation") / "open_loop.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run. cpu: share of a core by role. samples: taken during the run and worked off after it, by state. strangers: share
    of a core that processes which are not ours used in the meantime."""

    condition: str
    treated: bool
    requests: int
    failures: int
    p50_ms: float
    p99_ms: float
    cpu: dict[str, float]
    samples: dict[str, int]
    strangers: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    rate: float
    seconds: float
    settle_seconds: float


def perform(ground: Bed, plan: Plan, condition: str, *, treated: bool, seed: int) -> Run:
    """One run: set the scene, send, work off."""
    stopping = condition == DATABASE_STOPPED
    ground.set_sampling(SAMPLING if treated or stopping else 0.0)
    if not stopping:
        ground.set_condition(condition)
    before = ground.samples()
    options = {"rate": plan.rate, "seconds": plan.seconds, "settle": plan.settle_seconds, "seed": seed}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    client = subprocess.Popen([sys.executable, str(CLIENT), str(ground.product.port), *words], stdout=subprocess.PIPE)
    time.sleep(plan.settle_seconds + 0.5)  # its own start takes about half a second
    stopped = ground.product.database() if stopping and treated else []
    for process in stopped:
        process.send_signal(signal.SIGSTOP)
    try:
        others = Strangers()
        used = ground.processor_seconds()
        time.sleep(plan.seconds - 0.5)
        used = cpu_used(used, ground.processor_seconds(), plan.seconds - 0.5)
        disturbed = others.seconds() / (plan.seconds - 0.5)
        said = json.loads(client.communicate()[0])
    finally:
        for process in stopped:
            process.send_signal(signal.SIGCONT)
    ground.drain()
    p50, p99 = np.percentile(said["latencies_ms"], [50, 99])
    return Run(
        condition=condition,
        treated=treated,
        requests=len(said["latencies_ms"]),
        failures=said["failures"],
        p50_ms=float(p50),
        p99_ms=float(p99),
        cpu=used,
        strangers=disturbed,
        samples={state: n - before.get(state, 0) for state, n in ground.samples().items() if n > before.get(state, 0)},
    )


def pairs(ground: Bed, plan: Plan, conditions: list[str], count: int, rng: random.Random) -> Iterator[tuple[Run, Run]]:
    """(with, without) for every condition in turn, `count` times round. The order within a pair is drawn.

    A pair that strangers disturbed is measured again, up to `count` times in all.
    """
    again = count
    for number in range(count):
        for condition in conditions:
            while True:
                order = [True, False]
                rng.shuffle(order)
                runs = {
                    treated: perform(ground, plan, condition, treated=treated, seed=number + 1) for treated in order
                }
                yield runs[True], runs[False]
                if not disturbed((runs[True], runs[False])) or again == 0:
                    break
                again -= 1


def disturbed(pair: tuple[Run, Run]) -> bool:
    return max(run.strangers for run in pair) > STRANGERS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="pairs of runs for each condition")
    parser.add_argument("--quick", action="store_true", help="6 pairs of short runs: says whether it works, not more")
    parser.add_argument("--seconds", type=float, default=4.5, help="measured part of a run")
    parser.add_argument("--rate", type=float, default=100, help="requests a second")
    parser.add_argument(
        "--provider-ms", type=float, default=15, help="what the clients' provider takes for an answer, always"
    )
    parser.add_argument("--conditions", default=",".join(CONDITIONS), help=f"also: {DATABASE_STOPPED}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="all runs and the summary as one JSON object")
    options = parser.parse_args()
    plan = Plan(rate=options.rate, seconds=3.5 if options.quick else options.seconds, settle_seconds=3.5)
    count = 6 if options.quick else options.runs
    conditions = options.conditions.split(",")
    found: list[tuple[Run, Run]] = []
    with bed(options.provider_ms) as ground:
        print("warming up: the judges load their model", file=sys.stderr, flush=True)
        perform(ground, plan, "healthy", treated=True, seed=0)
        for pair in pairs(ground, plan, conditions, count, random.Random(options.seed)):
            found.append(pair)
            print(progress(pair, len(found)), file=sys.stderr, flush=True)
    quiet = [pair for pair in found if not disturbed(pair)]
    if len(quiet) < count * len(conditions):
        share = f"{len(found) - len(quiet)} of {len(found)} pairs were disturbed"
        print(f"the machine is not quiet: {share} by other processes; try again when they are done", file=sys.stderr)
    return report(quiet, len(found) - len(quiet), plan, as_json=options.json) if quiet else 2


def progress(pair: tuple[Run, Run], number: int) -> str:
    on, off = pair
    mark = "DISTURBED" if disturbed(pair) else ""
    return (
        f"{number:3} {mark:9} {on.condition:17} with {on.p50_ms:6.2f} {on.p99_ms:6.2f} ms"
        f"  without {off.p50_ms:6.2f} {off.p99_ms:6.2f} ms  ratios {on.p50_ms / off.p50_ms:.3f} {on.p99_ms / off.p99_ms:.3f}"
        f"  samples {sum(on.samples.values())}  worker {on.cpu.get('worker', 0):.2f} of a core"
    )


def summary(found: list[tuple[Run, Run]]) -> dict[str, dict[str, Any]]:
    """By condition: the ratios, and what makes them believable: samples taken, processor used, failures."""
    result: dict[str, dict[str, Any]] = {}
    for condition in dict.fromkeys(on.condition for on, _ in found):
        mine = [(on, off) for on, off in found if on.condition == condition]
        roles = {role for on, off in mine for run in (on, off) for role in run.cpu}
        result[condition] = {
            "p50": median_ratio([on.p50_ms / off.p50_ms for on, off in mine]),
            "p99": median_ratio([on.p99_ms / off.p99_ms for on, off in mine]),
            "p50_ms": [float(np.median([run.p50_ms for run in runs])) for runs in zip(*mine, strict=True)],
            "p99_ms": [float(np.median([run.p99_ms for run in runs])) for runs in zip(*mine, strict=True)],
            "requests": sum(on.requests + off.requests for on, off in mine),
            "failures": sum(on.failures + off.failures for on, off in mine),
            "samples": [sum(sum(run.samples.values()) for run in runs) for runs in zip(*mine, strict=True)],
            "cpu": {
                role: [float(np.mean([run.cpu.get(role, 0.0) for run in runs])) for runs in zip(*mine, strict=True)]
                for role in sorted(roles)
            },
        }
    return result


def report(found: list[tuple[Run, Run]], left_out: int, plan: Plan, *, as_json: bool) -> int:
    """found: the pairs that count."""
    result = summary(found)
    bars: dict[str, bool] = {}
    for condition, cells in result.items():
        bars[f"{condition}: no request failed"] = cells["failures"] == 0
        if condition in CONDITIONS:
            bars[f"{condition}: p50 ratio, upper 95 % bound <= {P50_BAR}"] = cells["p50"].upper <= P50_BAR
            bars[f"{condition}: p99 ratio, upper 95 % bound <= {P99_BAR}"] = cells["p99"].upper <= P99_BAR
            # A ratio of 1 means nothing where nothing was mirrored.
            bars[f"{condition}: samples with, none without"] = cells["samples"][0] > 0 and cells["samples"][1] == 0
    if as_json:
        runs = [asdict(run) for pair in found for run in pair]
        print(json.dumps({"conditions": result, "bars": bars, "left_out": left_out, "runs": runs}, default=asdict))
    else:
        print(f"{plan.rate:g} requests a second, runs of {plan.seconds:g} s; the product has one core")
        print(
            f"{'':17} {'pairs':>5} {'p50 ratio':>16} {'p99 ratio':>16}   {'p50 ms':>15} {'p99 ms':>17} {'samples':>8}"
        )
        for condition, cells in result.items():
            p50, p99 = (f"{on:.2f} / {off:.2f}" for on, off in (cells["p50_ms"], cells["p99_ms"]))
            print(
                f"{condition:17} {cells['p50'].pairs:5} {shown(cells['p50']):>16} {shown(cells['p99']):>16}   {p50:>15} {p99:>17}"
                f" {cells['samples'][0]:>8}"
            )
            used = ", ".join(f"{role} {on:.2f} / {off:.2f}" for role, (on, off) in cells["cpu"].items())
            print(f"{'':17} cores used: {used}")
        print("with / without; ratios: median of the pairs (upper 95 % bound, sign test)")
        print(f"left out, as other processes took over {STRANGERS:.0%} of a core: {left_out} pairs")
        for name, met in bars.items():
            print(f"{'met   ' if met else 'MISSED'}  {name}")
    return 0 if all(bars.values()) else 1


def shown(ratio: Ratio) -> str:
    return f"{ratio.median:.3f} ({ratio.upper:.3f})"


if __name__ == "__main__":
    sys.exit(main())
