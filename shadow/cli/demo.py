"""`shadow demo`: the whole loop at work, with a live summary and, at the end, the report beside the truth."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from rich.markup import escape

from shadow.cli.options import json_option, report_console
from shadow.logs import configure_logs
from shadow.process import stop_event

if TYPE_CHECKING:
    from shadow.scenarios.outcome import Outcome


#: Those that end by themselves, in a state that is right or not.
SCENARIOS = ("upgrade-better", "upgrade-worse", "upgrade-same")


@click.command()
@click.option(
    "--seconds", type=click.FloatRange(min=0), default=0, help="How long, from the first request; 0: until Ctrl-C."
)
@click.option("--models", type=click.Choice(["simulated", "local"]), default="simulated", show_default=True)
@click.option(
    "--gguf",
    type=click.Path(exists=True, dir_okay=False),
    help="With --models local: another model than the packaged one.",
)
@click.option(
    "--sampling",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.05,
    show_default=True,
    help="Share mirrored upwards.",
)
@click.option(
    "--scenario",
    type=click.Choice(["steady", "outage", "regression", *SCENARIOS]),
    default="steady",
    show_default=True,
    help="All but the first two play a story to its end, and say whether that was the right one.",
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option("--control-port", type=click.IntRange(1, 65535), default=8081, show_default=True)
@click.option("--directory", type=click.Path(path_type=Path), default=Path(".shadow/demo"), show_default=True)
@json_option
def demo(
    seconds: float,
    models: str,
    gguf: str | None,
    sampling: float,
    scenario: str,
    seed: int,
    port: int,
    control_port: int,
    directory: Path,
    *,
    as_json: bool,
) -> None:
    """Run router, worker, scheduler and console on simulated providers, with traffic, and hold the estimates against the truth.

    Exit code 1 if a request failed or nothing was judged. Scenario regression takes its own time, some four minutes: a model gets
    worse at one query type, and the report and its message have to name it (exit code 1 if not).
    """
    from shadow.demo.running import Plan, run_demo
    from shadow.demo.view import Viewer, result_json, show_result

    configure_logs("demo")
    if scenario in SCENARIOS:
        _play(scenario, seed, port, control_port, directory, as_json=as_json)
    plan = Plan(
        seconds=seconds,
        sampling=sampling,
        scenario=scenario,
        seed=seed,
        port=port,
        control_port=control_port,
        directory=directory,
        local=(gguf or "") if models == "local" else None,
    )
    console = report_console(stderr=as_json)
    addresses = f"router http://127.0.0.1:{port}/v1   console http://127.0.0.1:{control_port}/"

    async def run() -> int:
        stop = stop_event()
        with Viewer(console, addresses, seconds) as viewer:
            if scenario == "regression":
                from shadow.scenarios.regression import regression_json, regression_lines, run_regression

                ended = await run_regression(plan, stop, viewer.show)
                for line in regression_lines(ended) if not as_json else [json.dumps(regression_json(ended))]:
                    click.echo(line)
                return 0 if ended.succeeded else 1
            result = await run_demo(plan, stop, viewer.show)
        if as_json:
            click.echo(json.dumps(result_json(result)))
        else:
            show_result(console, result)
        return 0 if result.succeeded else 1

    raise click.exceptions.Exit(asyncio.run(run()))


def _play(scenario: str, seed: int, port: int, control_port: int, directory: Path, *, as_json: bool) -> NoReturn:
    """Exit code 1 unless the scenario ended as it should."""
    from shadow.scenarios.stage import Plan
    from shadow.scenarios.upgrading import run_upgrade as play

    console = report_console(stderr=as_json)
    plan = Plan(scenario=scenario, seed=seed, port=port, control_port=control_port, directory=directory)

    async def run() -> Outcome:
        return await play(plan, stop_event(), lambda line: console.print(f"[bold]-[/] {escape(line)}"))

    found = asyncio.run(run())
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        click.echo("\n".join(found.lines()))
    raise click.exceptions.Exit(0 if found.ok else 1)
