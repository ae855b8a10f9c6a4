"""What does the panel's calibration promise, on how many labels, and for which query types is it borrowed?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from judges.calibration import Calibration
from judges.panel import Panel
from judges.verdicts import ANY, Cut
from shadow.judging.reliability_text import reliability_json, reliability_lines
from shadow.judging.report import Judged, figure
from shadow.statistics.judge_agreement import share
from shadow.statistics.judge_reliability import Reliability, reliability


def certificate_json(panel: Panel) -> dict[str, Any] | None:
    """What verdicts of this panel hold, by the labels of its calibration; None where nothing is promised."""
    found = panel.certificate
    if found is None:
        return None
    known = {stage.key: stage.judges[-1].name for stage in panel.stages}
    return {
        "target_agreement": found.target.agreement,
        "confidence": found.target.confidence,
        "stages": [
            {"up_to": known[key], "query_types": [_cut_json(kind, cut) for kind, cut in sorted(cuts.items())]}
            for key, cuts in found.stages.items()
            if key in known
        ],
    }


def _cut_json(kind: str, cut: Cut) -> dict[str, Any]:
    return {"query_type": kind} | cut.to_json() | {"coverage": cut.coverage}


def reliability_of(rows: Sequence[Judged], *, seed: int, resamples: int) -> Reliability | None:
    """Of all labelled rows; None without any."""
    labelled = [r for r in rows if r.pair.label is not None]
    return reliability(
        [r.panel.estimate for r in labelled],
        [r.pair.label or 0 for r in labelled],
        [r.pair.cluster for r in labelled],
        rng=np.random.default_rng(seed),
        resamples=resamples,
    )


def query_types_json(
    rows: Sequence[Judged], calibration: Calibration, *, seed: int, resamples: int
) -> list[dict[str, Any]]:
    """For each query type in the rows: the labels behind its calibration, verdicts, and reliability where there are labels."""
    by_type: dict[str | None, list[Judged]] = {}
    for row in rows:
        by_type.setdefault(row.pair.comparison.query_type, []).append(row)
    found = []
    for kind, members in sorted(by_type.items(), key=lambda item: item[0] or ""):
        decided = [r for r in members if r.panel.verdict != "abstain"]
        known = [r for r in decided if r.pair.label is not None]
        agreed = share(
            [(r.panel.verdict == "accept") == bool(r.pair.label) for r in known], [r.pair.cluster for r in known]
        )
        seen = reliability_of(members, seed=seed, resamples=resamples)
        found.append(
            {
                "query_type": kind,
                "n": len(members),
                "labels_behind": calibration.labels_of(kind),
                "borrowed": calibration.is_borrowed(kind),
                "coverage": len(decided) / len(members),
                "certified": sum(r.panel.certified for r in decided),
                "agreement": agreed.value,
                "agreement_interval": None if agreed.low is None else [agreed.low, agreed.high],
                "reliability": None if seen is None else reliability_json(seen),
            }
        )
    return found


def print_trust(report: Mapping[str, Any], console: Console) -> None:
    """What is promised, what is borrowed, and whom it took, as tables and sentences."""
    _print_certificate(report["certificate"], console)
    table = Table(title="By query type", title_justify="left", header_style="")
    table.add_column("query type")
    for title in ("pairs", "labels behind", "decided", "certified", "agreement of the decided", "calibration error"):
        table.add_column(title, justify="right")
    for row in report["query_types"]:
        seen = row["reliability"] or {}
        table.add_row(
            row["query_type"] or "(none)",
            str(row["n"]),
            str(row["labels_behind"]),
            f"{row['coverage']:.1%}",
            f"{row['certified'] / row['n']:.1%}",
            figure(row, "agreement"),
            figure(seen, "calibration_error"),
        )
    console.print(table)
    for row in report["query_types"]:
        if row["borrowed"]:
            name, labels = row["query_type"] or "pairs without a query type", row["labels_behind"]
            console.print(f"{name}: not calibrated on your traffic, {labels} labels; borrowed from other query types.")
    spared = report["overall"]["spared"]
    if spared:
        asked = report["overall"]["asked"]
        told = ", ".join(f"{name} {n} (asked {asked.get(name, 0)})" for name, n in spared.items())
        console.print(f"Calls spared, as cheaper judges had decided: {told}.")


def _print_certificate(certificate: Mapping[str, Any] | None, console: Console) -> None:
    if certificate is None:
        console.print("No certificate: thresholds are the cautious ones, nothing is promised of agreement with people.")
        return
    target, confidence = certificate["target_agreement"], certificate["confidence"]
    table = Table(
        title=f"Certified: decided pairs agree with people in {target:.0%} or more, with confidence {confidence:.0%}",
        title_justify="left",
        header_style="",
    )
    for title in ("up to", "query type"):
        table.add_column(title)
    for title in (
        "labels",
        "worth",
        "decides from",
        "decided",
        "agreed",
        "at least",
        "accepted agree",
        "rejected agree",
    ):
        table.add_column(title, justify="right")
    for stage in certificate["stages"]:
        for cut in stage["query_types"]:
            decides = "not certifiable" if cut["threshold"] is None else f"{cut['threshold']:.3f}"
            table.add_row(
                stage["up_to"],
                "all" if cut["query_type"] == ANY else cut["query_type"],
                str(cut["labels"]),
                f"{cut['n_effective']:.0f}",
                decides,
                f"{cut['coverage']:.1%}",
                f"{cut['agreed']}/{cut['n']}",
                f"{cut['bound']:.3f}",
                _of(cut["accepted"]),
                _of(cut["rejected"]),
            )
    console.print(table)


def _of(tally: Sequence[int]) -> str:
    n, agreed = tally
    return f"{agreed}/{n}" if n else "-"


def print_reliability(found: Reliability, console: Console) -> None:
    """The diagram, for a terminal."""
    console.print("Reliability: | what was said, o how often it was true, - its 95 % interval (* both)")
    for line in reliability_lines(found):
        console.print(line, markup=False, highlight=False)
