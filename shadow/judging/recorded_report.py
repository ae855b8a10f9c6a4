"""What do recorded judge texts say about their judges? Figures by judge and data set, as JSON and as a table for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from shadow.judging.pair_file import group_name, lookup
from shadow.judging.recorded_file import Judgement
from shadow.statistics.judge_agreement import Share, kappa, lean, mean, share
from shadow.statistics.judge_quality import Figure

_SHOWN = ("parsed", "human_agreement", "kappa", "order_consistency", "position_bias")
_TITLES = ("read", "agrees with people", "kappa", "order consistency", "position bias")


def summary(rows: Sequence[Judgement], *, humans: Mapping[Any, Any], seed: int, resamples: int) -> dict[str, Any]:
    """Figures of some rows. humans: see `human_choices`.

    parsed: share of the texts that could be read. recorded: against the verdicts that the file itself holds.
    order_consistency: share of pairs judged alike in both orders. position_bias: share of those verdicts that went to the
    answer shown first, minus one half. grades, by_grade: of single answers, and of the two answers to one prompt compared.
    """
    rng = np.random.default_rng(seed)
    read = [r for r in rows if r.reading.value is not None]
    chosen = [r for r in read if not isinstance(r.reading.value, float)]
    judged = [r for r in chosen if r.human is not None and not isinstance(r.human, float)]
    graded = [r for r in read if isinstance(r.reading.value, float)]
    said: dict[str, Any] = {
        "n": len(rows),
        "prompts": len({r.prompt for r in rows}),
        "parsed": _share(share([r.reading.value is not None for r in rows], [r.prompt for r in rows])),
        "recorded": _recorded(rows),
        "human_agreement": _share(share([r.reading.value == r.human for r in judged], [r.prompt for r in judged])),
        "kappa": _figure(
            kappa(
                [str(r.reading.value) for r in judged],
                [str(r.human) for r in judged],
                [r.prompt for r in judged],
                rng=rng,
                resamples=resamples,
            )
        ),
        **_orders(chosen),
    }
    if graded:
        values = [r.reading.value for r in graded if isinstance(r.reading.value, float)]
        said["grades"] = {
            "n": len(graded),
            "mean": _figure(mean(values, [r.prompt for r in graded], rng=rng, resamples=resamples)),
        }
        said["by_grade"] = _by_grade(graded, humans)
    return said


def human_choices(rows: Sequence[Judgement]) -> dict[tuple[Any, ...], str]:
    """What people chose, by data set, prompt and the two answers: the same pair is graded elsewhere without a label."""
    return {(r.record.get("dataset"), *r.pair): r.human for r in rows if isinstance(r.human, str) and r.b is not None}


def _recorded(rows: Sequence[Judgement]) -> dict[str, Any]:
    """What was read against what the file holds. wrong: both have a verdict, and not the same."""
    there = [r for r in rows if r.recorded is not None]
    also = [r for r in there if r.reading.value is not None]
    return {
        "n": len(there),
        "also_parsed": _share(share([r.reading.value is not None for r in there], [r.prompt for r in there])),
        "wrong": sum(r.reading.value != r.recorded for r in also),
        "only_here": sum(r.reading.value is not None for r in rows) - len(also),
        "disputed": [{"line": r.line, "id": r.id, "reason": r.reading.why} for r in rows if r.reading.disputed],
    }


def _orders(chosen: Sequence[Judgement]) -> dict[str, Any]:
    """Whether the same pair got the same verdict in both orders, and which place was favoured."""
    seen: dict[tuple[Any, ...], dict[str, Judgement]] = {}
    for row in chosen:
        if row.order is not None:
            seen.setdefault((row.judge, row.record.get("dataset"), *row.pair), {})[row.order] = row
    both = [orders for orders in seen.values() if len(orders) == 2]
    alike = [o["ab"].reading.value == o["ba"].reading.value for o in both]
    prompts = [o["ab"].prompt for o in both]
    first = [(_first(o["ab"], "A") + _first(o["ba"], "B")) / 2 for o in both]
    return {
        "order_consistency": _share(share(alike, prompts)),
        "position_bias": _figure(lean(first, prompts)),
    }


def _first(row: Judgement, shown_first: str) -> float:
    """1 where the answer shown first was chosen, -1 for the other one, 0 for a tie."""
    return 0.0 if row.reading.value == "tie" else 1.0 if row.reading.value == shown_first else -1.0


def _by_grade(graded: Sequence[Judgement], humans: Mapping[Any, Any]) -> dict[str, Any]:
    """The two graded answers of one prompt, the higher grade taken as the choice."""
    grades: dict[tuple[Any, ...], dict[str, float]] = {}
    for row in graded:
        if row.b is None and isinstance(row.reading.value, float):
            grades.setdefault((row.judge, row.record.get("dataset"), row.prompt), {})[row.a] = row.reading.value
    hits: list[bool] = []
    prompts: list[str] = []
    ties = pairs = 0
    for (judge, dataset, prompt, a, b), human in _asked_pairs(grades, humans):
        one, other = grades[judge, dataset, prompt][a], grades[judge, dataset, prompt][b]
        pairs += 1
        ties += one == other
        if one != other:
            hits.append(("A" if one > other else "B") == human)
            prompts.append(prompt)
    return {"pairs": pairs, "ties": ties, "human_agreement": _share(share(hits, prompts))}


def _asked_pairs(
    grades: Mapping[tuple[Any, ...], Mapping[str, float]], humans: Mapping[Any, Any]
) -> list[tuple[tuple[Any, ...], str]]:
    """Judge, data set, prompt and the two answers, both graded, with what people chose."""
    asked: dict[tuple[Any, Any], list[tuple[Any, Any, str]]] = {}
    for (dataset, prompt, a, b), human in humans.items():
        asked.setdefault((dataset, prompt), []).append((a, b, human))
    return [
        ((judge, dataset, prompt, a, b), human)
        for (judge, dataset, prompt), given in grades.items()
        for a, b, human in asked.get((dataset, prompt), [])
        if a in given and b in given
    ]


def grouped(rows: Sequence[Judgement], keys: Sequence[str]) -> dict[tuple[str, ...], list[Judgement]]:
    """Rows by the values of the keys, groups in order of name."""
    found: dict[tuple[str, ...], list[Judgement]] = {}
    for row in rows:
        found.setdefault(tuple(group_name(lookup(row.record, key)) for key in keys), []).append(row)
    return dict(sorted(found.items()))


def print_report(report: Mapping[str, Any], console: Console) -> None:
    """The report as a table."""
    table = Table(title=str(report["file"]), title_justify="left", header_style="")
    table.add_column("texts", no_wrap=True)
    table.add_column("n", justify="right")
    table.add_column("unlike the file", justify="right")
    for title in _TITLES:
        table.add_column(title, justify="right")
    for name, figures in [
        ("all", report["overall"]),
        *((", ".join(g["group"].values()), g) for g in report["groups"]),
    ]:
        recorded = figures["recorded"]
        unlike = f"{recorded['wrong']} wrong, {len(recorded['disputed'])} disputed"
        table.add_row(name, str(figures["n"]), unlike, *(_cell(figures[key]) for key in _SHOWN))
    console.print(table)
    console.print(
        "Intervals: 95 %; shares by Wilson with n = prompts, kappa by bootstrap of prompts. "
        "Disputed: the judge's words contradict what the published rule reads; counted as not read."
    )


def _cell(figure: Mapping[str, Any]) -> str:
    value, interval = figure["value"], figure["interval"]
    if value is None:
        return "-"
    return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def _share(found: Share) -> dict[str, Any]:
    interval = None if found.low is None else [found.low, found.high]
    return {"value": found.value, "interval": interval, "n": found.n, "prompts": found.prompts}


def _figure(found: Figure) -> dict[str, Any]:
    return {"value": found.value, "interval": None if found.low is None else [found.low, found.high]}
