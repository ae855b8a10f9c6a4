"""How is a report read on a terminal? One table of tiers, the funnel, the money, and words for what is not known."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from shadow.judging.days_text import judge_days_lines
from shadow.reports.figures_text import share, usd
from shadow.reports.noise_text import render_noise
from shadow.reports.observed_text import render_observed
from shadow.reports.ratings import TierRatings
from shadow.reports.reasons import in_words
from shadow.reports.window import Report, TierReport
from shadow.statistics.estimate import Undefined


def render(report: Report, truth: Mapping[str, float] | None = None) -> RenderableType:
    """The report as a rich renderable. truth: accuracy by tier ("" for all) where it is known, as in the lab."""
    parts: list[RenderableType] = [_tiers(report, truth), Text()]
    parts += [_escalations(report), Text(), _money(report), Text(), _funnel(report)]
    parts += [Text(), render_noise(report.noise)]
    notes = _notes(report)
    if notes:
        parts += [Text(), *(Text(note, style="dim") for note in notes)]
    if report.observed is not None:
        parts += [Text(), render_observed(report.observed)]
    return Group(*parts)


def _tiers(report: Report, truth: Mapping[str, float] | None) -> Table:
    window = f"{report.since:%Y-%m-%d %H:%M} - {report.until:%Y-%m-%d %H:%M} UTC"
    table = Table(title=f"Accuracy and cost by tier, {window}", title_justify="left", pad_edge=False)
    table.add_column("tier")
    table.add_column("requests", justify="right")
    table.add_column("accuracy, raw\n(judges only)", justify="right")
    table.add_column("accuracy, corrected\n(95 % interval)", justify="right")
    if truth is not None:
        table.add_column("truth", justify="right")
    table.add_column("mirrored\nlabelled", justify="right")
    table.add_column("coverage", justify="right")
    table.add_column("escalated", justify="right")
    table.add_column("USD per success\n(95 % interval)", justify="right")
    for tier in (*report.tiers, report.overall):
        if not tier.tier:
            table.add_section()
        cells = [
            tier.tier or "all",
            f"{tier.requests:,}",
            _raw(tier),
            share(tier.accuracy.corrected) or _why(tier, "corrected"),
        ]
        if truth is not None:
            cells.append(_verdict(tier, truth))
        coverage = tier.accuracy.coverage
        cells += [
            f"{tier.accuracy.mirrored:,}\n{tier.accuracy.labelled:,}",
            f"{coverage.value:.1%}" if coverage else "-",
            f"{tier.escalation_rate.value:.1%}" if tier.escalation_rate else "-",
            usd(tier.cost_per_success_usd) or "-",
        ]
        table.add_row(*cells)
    return table


def _raw(tier: TierReport) -> str:
    if tier.accuracy.raw is None and tier.self_consistency is not None:
        return f"self-consistency\n{share(tier.self_consistency)}"
    if not tier.tier and tier.accuracy.raw is None:
        return "-"  # the top tier has no such figure, and its row says so
    return share(tier.accuracy.raw) or _why(tier, "raw")


def _verdict(tier: TierReport, truth: Mapping[str, float]) -> str:
    known = truth.get(tier.tier)
    if known is None:
        return "-"
    if tier.accuracy.corrected is None:
        return f"{known:.1%}"
    return f"{known:.1%} {'inside' if tier.accuracy.corrected.covers(known) else 'OUTSIDE'}"


def _escalations(report: Report) -> Text:
    reasons = report.overall.escalations
    if not reasons:
        return Text("Escalations: none")
    total = report.overall.escalation_rate
    parts = [
        f"{reason} {estimate.value:.1%}" for reason, estimate in sorted(reasons.items(), key=lambda r: -r[1].value)
    ]
    return Text(f"Escalations: {total.value:.1%} of requests ({', '.join(parts)})" if total else "Escalations: none")


def _money(report: Report) -> Text:
    lines = [
        f"Spent: ${report.overall.cost_usd:,.4f} on requests; shadow ${report.shadow_usd:,.4f} "
        f"(mirrors ${report.mirror_usd:,.4f}, judges ${report.judge_usd:,.4f})"
    ]
    saved = report.savings
    if isinstance(saved, Undefined):
        lines.append(f"Savings against all-top-tier: {in_words(saved)}")
    else:
        lines.append(
            f"Savings against all-top-tier, shadow spend deducted: {usd(saved.net_usd)} "
            f"(all-top-tier would have cost {usd(saved.all_top_usd)})"
        )
    return Text("\n".join(lines))


def _funnel(report: Report) -> Text:
    words = {name: name.replace("_", " ") for name in report.funnel}
    return Text("Samples: " + ", ".join(f"{count:,} {words[name]}" for name, count in report.funnel.items()))


def _notes(report: Report) -> list[str]:
    notes = []
    for tier in report.tiers:
        bounds = tier.accuracy.worst_case
        if bounds is not None:
            notes.append(
                f"{tier.tier}: {1 - bounds.coverage:.1%} of its samples have no verdict; if all of those were bad (good), "
                f"judged accuracy would be {bounds.low:.1%} ({bounds.high:.1%})."
            )
    if report.reviewer is None and report.overall.accuracy.labelled:
        notes.append("Labels are taken as the truth: no reviewer was checked on gold items.")
    elif report.reviewer is not None and report.reviewer.is_measured:
        notes.append(
            f"Labels are put right for reviewers who accept {report.reviewer.false_accept_rate:.1%} of bad and "
            f"reject {report.reviewer.false_reject_rate:.1%} of good gold items."
        )
    notes += judge_days_lines(report.judging)
    if report.ratings:
        said = "; ".join(_rated(ratings) for ratings in report.ratings)
        notes.append(f"Ratings by clients, self-selected and in no other figure: {said}.")
    if report.mode == "observe":
        notes.append("All of this was served in mode observe, whatever the router had decided; see below what it had.")
    elif report.observed is not None:
        notes.append("The figures above are of requests in mode route; those of mode observe stand below, apart.")
    lost = report.failed_requests
    if lost or report.cancelled_requests:
        notes.append(f"Not answered: {lost:,} failed, {report.cancelled_requests:,} cancelled by the client.")
    return notes


def _rated(ratings: TierRatings) -> str:
    more = [
        f"{count:,} {words}"
        for count, words in ((ratings.retries, "asked again"), (ratings.signals, "signals of sessions"))
        if count
    ]
    good = f"{share(ratings.good)} good of {ratings.up + ratings.down:,}" if ratings.good else "none"
    return f"{ratings.tier} {', '.join([good, *more])}"


def _why(tier: TierReport, name: str) -> str:
    undefined = tier.accuracy.undefined.get(name)
    return in_words(undefined) if undefined else "-"
