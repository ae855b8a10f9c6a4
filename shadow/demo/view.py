"""What does the demo look like on a terminal? One live line of figures, and at the end the report beside the truth."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.status import Status

from shadow.demo.running import Result, Scene
from shadow.reports.as_json import report_json
from shadow.reports.text import render

#: Without a terminal, a line this often.
LINE_SECONDS = 10.0


class Viewer:
    """Shows what is being done: steps as lines, figures as one line that changes in place on a terminal."""

    def __init__(self, console: Console, addresses: str, seconds: float) -> None:
        self._console = console
        self._addresses = addresses
        self._seconds = seconds
        self._status = Status("starting", console=console)
        self._printed = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def show(self, what: Scene | str) -> None:
        """A step, or the scene as it is now."""
        if isinstance(what, str):
            self._console.print(f"[bold]-[/] {what}")
            if what.startswith("traffic"):
                self._console.print(f"  {self._addresses}")
            return
        line = _line(what, self._seconds)
        self._status.update(line)
        if not self._console.is_terminal and time.monotonic() - self._printed >= LINE_SECONDS:
            self._printed = time.monotonic()
            self._console.print(f"  {line}")


def show_result(console: Console, result: Result) -> None:
    """The last page."""
    traffic = result.traffic
    console.print()
    console.print(
        f"[bold]{traffic.answered:,} requests served, {traffic.failed:,} failed[/] in {traffic.seconds:.0f} s "
        f"(p50 {_ms(traffic.p50_seconds)}, p99 {_ms(traffic.p99_seconds)} at the client)"
    )
    for reason, count in traffic.failures.items():
        console.print(f"  failed, {reason}: {count}")
    console.print()
    console.print(render(result.report, truth=result.truth))
    console.print()
    console.print(
        f"Look again with `shadow report --config {result.config}`; `shadow up --config …` needs the demo's providers."
    )


def result_json(result: Result) -> dict[str, Any]:
    """The result as one JSON object."""
    tiers = (*result.report.tiers, result.report.overall)
    strict = {tier.tier: tier for tier in (*result.strict_report.tiers, result.strict_report.overall)}
    return {
        "requests": result.traffic.sent,
        "served": result.traffic.answered,
        "failed": result.traffic.failed,
        "failures": result.traffic.failures,
        "seconds": result.traffic.seconds,
        "p50_seconds": result.traffic.p50_seconds,
        "p99_seconds": result.traffic.p99_seconds,
        "truth": {
            tier.tier or "all": {
                "accuracy": known,
                "inside_95": estimate.covers(known),
                "inside_99_9": wider.covers(known) if (wider := strict[tier.tier].accuracy.corrected) else None,
                "interval_99_9": [wider.low, wider.high] if wider else None,
            }
            for tier in tiers
            if (known := result.truth.get(tier.tier)) is not None and (estimate := tier.accuracy.corrected) is not None
        },
        "report": report_json(result.report),
    }


def _line(scene: Scene, seconds: float) -> str:
    if scene.waiting is not None:
        return f"draining: {scene.waiting:,} samples still to be mirrored or judged"
    traffic = scene.traffic.statistics()
    left = f" of {seconds:.0f}" if seconds else ""
    tiers = ", ".join(
        f"{tier} {n:,}" for tier, (_, n) in sorted(traffic.right_by_tier.items(), key=lambda item: -item[1][1])
    )
    return (
        f"{traffic.seconds:3.0f}{left} s   {traffic.answered:,} served, {traffic.failed:,} failed ({tiers})   "
        f"p50 {_ms(traffic.p50_seconds)}"
    )


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"
