"""What do recorded verdicts of language models let expect of a judge that asks one? Other prompts than ours, our parsers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shadow.judge_cards.data import Source, source
from shadow.judging.recorded_file import Judgement, read_judgements
from shadow.judging.recorded_report import grouped, human_choices, summary

_DIGITS = 4
_SHOWN = ("parsed", "human_agreement", "kappa", "order_consistency", "position_bias")


def recorded_verdicts(files: Sequence[Path], *, pairwise: bool, resamples: int) -> list[dict[str, Any]]:
    """Figures by file and recorded judge, of verdicts on two answers (pairwise) or of grades of one."""
    rows: list[dict[str, Any]] = []
    for path in files:
        read = [row for row in read_judgements(path) if isinstance(row, Judgement)]
        humans = human_choices(read)
        for (judge,), some in grouped(read, ["judge"]).items():
            graded = any(isinstance(row.reading.value, float) for row in some)
            if graded == pairwise:
                continue
            found = summary(some, humans=humans, seed=0, resamples=resamples)
            figures = {name: _figure(found[name]) for name in _SHOWN}
            rows.append(
                {"file": path.name, "judge": judge, "texts": found["n"], "prompts": found["prompts"], **figures}
            )
    return rows


def recorded_sources(files: Sequence[Path]) -> list[Source]:
    """The files behind these figures."""
    found = []
    for path in files:
        read = list(read_judgements(path))
        good = [row for row in read if isinstance(row, Judgement)]
        labelled = sum(row.human is not None for row in good)
        found.append(source(path, rows=len(read), labelled=labelled, bad_lines=len(read) - len(good)))
    return found


def _figure(found: dict[str, Any]) -> dict[str, float | None]:
    low, high = found["interval"] or (None, None)
    return {
        name: None if x is None else round(x, _DIGITS)
        for name, x in zip(("value", "low", "high"), (found["value"], low, high), strict=True)
    }
