"""How is a window of mode observe read on a terminal? What would have been served, by tier decided for and query type."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from shadow.reports.figures_text import share, usd
from shadow.reports.observed import ObservedPart, ObservedReport
from shadow.reports.reasons import in_words
from shadow.statistics.estimate import Undefined


def render_observed(report: ObservedReport) -> RenderableType:
    """The section on mode observe as a rich renderable."""
    served = ", ".join(f"{tier} {count:,}" for tier, count in report.served.items())
    table = Table(
        title=f"Mode observe: what would have been served ({served} answered instead)",
        title_justify="left",
        pad_edge=False,
    )
    table.add_column("decided tier")
    table.add_column("query type")
    table.add_column("requests", justify="right")
    table.add_column("accuracy, judged\n(uncorrected)", justify="right")
    table.add_column("accuracy, corrected\n(95 % interval)", justify="right")
    table.add_column("mirrored\nlabelled", justify="right")
    table.add_column("would have cost\n(95 % interval)", justify="right")
    table.add_column("saved by that", justify="right")
    for whole in report.tiers:
        table.add_row(*_cells(whole))
        kinds = [part for part in report.parts if part.tier == whole.tier]
        for part in kinds if len(kinds) > 1 else ():
            table.add_row(*_cells(part), style="dim")
    table.add_section()
    table.add_row(*_cells(report.overall))
    note = (
        "These are estimates of what mode route would do, made before going live; what is certified is said below. "
        "Savings are against what was paid; the cost of mirroring and judging is not deducted."
    )
    return Group(table, Text(note, style="dim"))


def _cells(part: ObservedPart) -> list[str]:
    found = part.accuracy
    if isinstance(part.cost, Undefined):
        cost, saved = in_words(part.cost), "-"
    else:
        cost, saved = usd(part.cost.cost_usd), usd(part.cost.saved_usd)
    return [
        part.tier or "all",
        part.query_type or "all",
        f"{part.requests:,}\n{part.share:.1%}",
        share(found.raw) or _why(part, "raw"),
        share(found.corrected) or _why(part, "corrected"),
        f"{found.mirrored:,}\n{found.labelled:,}",
        cost,
        saved,
    ]


def _why(part: ObservedPart, name: str) -> str:
    undefined = part.accuracy.undefined.get(name)
    return in_words(undefined) if undefined else "-"
