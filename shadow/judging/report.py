"""What does a judged file say about the panel? Figures overall and by group, as JSON and as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from judges.contracts import PanelJudgment
from shadow.json_lines import BadLine
from shadow.judging.pair_file import Pair, group_name, lookup
from shadow.statistics.judge_quality import Figure, JudgeQuality, measure

_SHOWN = ("auroc", "accuracy", "kappa", "calibration_error", "length_auroc", "gain_over_length")
_TITLES = ("AUROC", "accuracy", "kappa", "calibration error", "AUROC of length alone", "gain over length")
_SIDES = ("accepted_agreement", "rejected_agreement")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A pair and what the panel made of it."""

    pair: Pair
    panel: PanelJudgment


def output_line(judged: Judged) -> dict[str, Any]:
    """The line that `--out` writes for a good line. score: calibrated, the base rate where no judge had evidence."""
    return {
        "id": judged.pair.id,
        "score": round(judged.panel.estimate, 6),
        "verdict": judged.panel.verdict,
        "markers": [asdict(marker) for marker in judged.panel.markers],
        "judges": {j.judge: None if j.score is None else round(j.score, 6) for j in judged.panel.judgments},
        "cost_usd": float(judged.panel.cost_usd),
    }


def bad_output_line(bad: BadLine) -> dict[str, Any]:
    """The line that `--out` writes for a bad line: no score, the verdict abstain, and the reason."""
    return {
        "id": bad.id,
        "score": None,
        "verdict": "abstain",
        "markers": [],
        "judges": {},
        "cost_usd": 0.0,
        "error": f"line {bad.line}: {bad.reason}",
    }


def quality(rows: Sequence[Judged], *, seed: int, resamples: int) -> JudgeQuality | None:
    """Figures on the labelled rows; None where none has a label."""
    labelled = [r for r in rows if r.pair.label is not None]
    if not labelled:
        return None
    verdicts = {"accept": True, "reject": False, "abstain": None}
    return measure(
        [r.panel.estimate for r in labelled],
        [verdicts[r.panel.verdict] for r in labelled],
        [r.pair.label or 0 for r in labelled],
        [len(r.pair.comparison.answer) for r in labelled],
        [r.pair.cluster for r in labelled],
        rng=np.random.default_rng(seed),
        resamples=resamples,
    )


def summary(rows: Sequence[Judged], *, seed: int, resamples: int) -> dict[str, Any]:
    """Counts, verdicts, coverage, cost and, where there are labels, figures with intervals."""
    verdicts = Counter(r.panel.verdict for r in rows)
    decided = verdicts["accept"] + verdicts["reject"]
    asked = Counter(j.judge for r in rows for j in r.panel.judgments)
    spared = Counter(name for r in rows for name in r.panel.spared)
    said: dict[str, Any] = {
        "n": len(rows),
        "n_labelled": sum(r.pair.label is not None for r in rows),
        "verdicts": {name: verdicts[name] for name in ("accept", "reject", "abstain")},
        "coverage": decided / len(rows) if rows else None,
        "certified": sum(r.panel.certified for r in rows),
        "asked": dict(sorted(asked.items())),
        "spared": dict(sorted(spared.items())),
        "cost_usd": float(sum(r.panel.cost_usd for r in rows)),
    }
    found = quality(rows, seed=seed, resamples=resamples)
    if found is not None:
        said |= {"clusters": found.clusters, "label_rate": found.label_rate}
        for name in (*_SHOWN, *_SIDES):
            found_figure: Figure = getattr(found, name)
            said[name] = found_figure.value
            said[f"{name}_interval"] = None if found_figure.low is None else [found_figure.low, found_figure.high]
    return said


def grouped(rows: Sequence[Judged], keys: Sequence[str]) -> dict[tuple[str, ...], list[Judged]]:
    """Rows by the values of the keys, groups in order of name."""
    found: dict[tuple[str, ...], list[Judged]] = {}
    for row in rows:
        found.setdefault(tuple(group_name(lookup(row.pair.record, key)) for key in keys), []).append(row)
    return dict(sorted(found.items()))


def print_report(report: Mapping[str, Any], console: Console) -> None:
    """The report as tables."""
    table = Table(title=f"{report['panel']}: {', '.join(report['judges'])}", title_justify="left", header_style="")
    table.add_column("pairs")
    table.add_column("n", justify="right")
    table.add_column("accept / reject / abstain", justify="right")
    for title in _TITLES:
        table.add_column(title, justify="right")
    rows = [("all", report["overall"])]
    rows += [(", ".join(group["group"].values()), group) for group in report["groups"]]
    for name, figures in rows:
        verdicts = figures["verdicts"]
        shares = f"{verdicts['accept']} / {verdicts['reject']} / {verdicts['abstain']}"
        table.add_row(name, str(figures["n"]), shares, *(figure(figures, key) for key in _SHOWN))
    console.print(table)
    if report["overall"]["n_labelled"]:
        console.print(
            "Intervals: 95 %, bootstrap by question. AUROC on all pairs, accuracy and kappa on the decided ones."
        )
    else:
        console.print("No labels in the file: verdicts only.")


def figure(figures: Mapping[str, Any], key: str) -> str:
    """A figure with its interval, "-" where it is not defined."""
    value, interval = figures.get(key), figures.get(f"{key}_interval")
    if value is None:
        return "-"
    return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")
