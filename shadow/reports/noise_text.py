"""How is the noise floor told to people? Sentences for the console and the terminal, and a table for the latter."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from shadow.reports.figures_text import share
from shadow.reports.noise import TierNoise
from shadow.reports.reasons import in_words
from shadow.statistics.estimate import Estimate


def points(excess: Estimate | None) -> str:
    """`+3.2 (1.0 to 5.4)`: a difference of two shares, in percentage points."""
    if excess is None:
        return ""
    high = 1.0 if excess.high is None else excess.high
    return f"{100 * excess.value:+.1f} ({100 * excess.low:.1f} to {100 * high:.1f})"


def in_short(row: TierNoise) -> str:
    """What the figures amount to, in a few plain words."""
    excess = row.found.excess
    if row.tier == row.reference:
        return "the reference: consistent is not right" if row.found.floor else in_words(row.found.undefined["floor"])
    if excess is None:
        return in_words(row.found.undefined["excess"])
    if excess.low > 0:
        return "more than noise"
    if excess.high is not None and excess.high < 0:
        return f"less than {row.reference} from itself"
    return "within noise"


def sentence(row: TierNoise) -> str:
    """The whole finding on one tier: who differs from whom how often, and how much of that is not noise."""
    found, of = row.found, f" of {row.query_type}" if row.query_type else ""
    if found.floor is None:
        return f"{row.reference} against itself: {in_words(found.undefined['floor'])}."
    own = f"{row.reference} differs from itself on {share(found.floor)}{of}"
    if found.divergence is None:
        return f"{own}; that says how consistent it is, not how often it is right."
    said = f"{own}, {row.tier} differs from it on {share(found.divergence)}"
    if found.excess is None:
        return f"{said}; how much more that is can't be said yet: {in_words(found.undefined['excess'])}."
    excess = found.excess
    ends = [100 * end for end in (excess.low, 1.0 if excess.high is None else excess.high)]
    more = "more" if excess.value >= 0 else "fewer"
    return f"{said}: {abs(100 * excess.value):.1f} points {more} [{ends[0]:.1f}, {ends[1]:.1f}]; {in_short(row)}."


def render_noise(rows: Sequence[TierNoise]) -> RenderableType:
    """The section of the report; one line where the reference was never asked twice."""
    shown = [row for row in rows if row.found.control]
    if not shown:
        return Text("Noise floor: not known, the reference was not asked twice yet")
    table = Table(title="Noise floor: requests that the reference answered twice", title_justify="left", pad_edge=False)
    table.add_column("tier")
    table.add_column("query type")
    table.add_column("control samples\nwith both verdicts", justify="right")
    table.add_column("reference differs\nfrom itself", justify="right")
    table.add_column("tier differs\nfrom the reference", justify="right")
    table.add_column("excess, points\n(95 % interval)", justify="right")
    table.add_column("reading")
    for row in shown:
        found = row.found
        table.add_row(
            row.tier,
            row.query_type or "all",
            f"{found.control:,}\n{found.pairs:,}",
            share(found.floor) or "-",
            share(found.divergence) or "-",
            points(found.excess) or "-",
            in_short(row),
            style="dim" if row.query_type else "",
        )
    note = "By the judges alone: what they call different, not what is wrong. Excess is the part that is not noise."
    return Group(table, Text(note, style="dim"))
