"""How are the judge cards made? `make judge-cards DATA=<directory>`: one page and one JSON file per judge.

The same data give the same cards but for the times.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

import judges
from judges.described import DESCRIBED, description
from judges.errors import JudgeError
from judges.registry import DEFAULT, build_panel
from shadow.errors import ConfigError, ShadowError
from shadow.judge_cards.data import Part, Source, as_values, judgement_files, load_parts
from shadow.judge_cards.page import index, page
from shadow.judge_cards.quality import Said, ask_all, equal_verdicts, judge_quality, panel_quality
from shadow.judge_cards.recorded import recorded_sources, recorded_verdicts
from shadow.judge_cards.subjects import LOADS_A_MODEL, NEEDS_LANGUAGE_MODEL, Subject, examples_said, subjects
from shadow.judge_cards.timing import prompt_tokens, timings

_ROOT = Path(judges.__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured. most: pairs of a part; slow_most: where a model has to run on each; engine_most: for the second
    embedding engine; timed: pairs of each length.
    """

    most: int
    slow_most: int
    engine_most: int
    timed: int
    resamples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that was measured on data. said: by judge@version, cheapest first, of the engine that runs by default."""

    sources: list[Source]
    parts: list[Part]
    recorded: list[Path]
    said: dict[str, Said]


async def make_cards(
    directory: Path, effort: Effort, *, names: Sequence[str], nli_model: str | None, progress: Progress
) -> list[dict[str, Any]]:
    """The cards, in the order of the registry. Raises: ConfigError where there are no data, JudgeError."""
    sources, parts = load_parts(directory, most=effort.most)
    measured = Measured(sources=sources, parts=parts, recorded=judgement_files(directory), said={})
    cards = []
    for subject in subjects(names, nli_model=nli_model):
        task = progress.add_task(subject.version, total=None)
        cards.append(await _card(subject, measured, effort, progress))
        progress.update(task, total=1, completed=1)
        progress.console.print(f"{subject.version} is measured")
    return cards


async def _card(subject: Subject, measured: Measured, effort: Effort, progress: Progress) -> dict[str, Any]:
    quality, engines = await _on_data(subject, measured, effort, progress)
    recorded = (
        recorded_verdicts(measured.recorded, pairwise=subject.name == "pairwise", resamples=effort.resamples)
        if subject.name in NEEDS_LANGUAGE_MODEL
        else []
    )
    return {
        **await _without_data(subject, effort),
        "quality": quality,
        "engines": engines,
        "recorded": recorded,
        "data": as_values(measured.sources, _parts_for(subject, measured, effort))
        if quality
        else as_values(recorded_sources(measured.recorded) if recorded else [], []),
    }


async def _without_data(subject: Subject, effort: Effort) -> dict[str, Any]:
    """What a card says besides the figures on data: words, examples, what a call sends, and times."""
    said_of = description(subject.name)
    spots = []
    for spot, says, score in await examples_said(subject.name):
        example = {name: getattr(spot.example, name) for name in ("prompt", "context", "answer", "reference")}
        known = {"name": spot.name, "text": spot.text, "acceptable": spot.acceptable, **example}
        spots.append({**known, "says": says, "score": None if score is None else round(score, 2)})
    return {
        "judge": subject.version,
        "question": said_of.question,
        "sees": list(said_of.sees),
        "does_not_see": list(said_of.does_not_see),
        "cost": said_of.cost,
        "not_measured": list(subject.not_measured),
        "blind_spots": spots,
        "prompt_tokens": prompt_tokens(subject.name, 20) if subject.name in NEEDS_LANGUAGE_MODEL else [],
        "timings": {"scripted": subject.scripted, "engines": await _times(subject, effort)},
    }


async def _times(subject: Subject, effort: Effort) -> dict[str, Any]:
    if subject.name == "panel":
        return {"": await timings(build_panel(DEFAULT), effort.timed)}
    return {engine: await timings(make(), effort.timed) for engine, make in subject.engines.items()}


async def _on_data(
    subject: Subject, measured: Measured, effort: Effort, progress: Progress
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Figures by part, and both engines side by side where there are two."""
    if subject.scripted:
        return [], None
    parts, resamples = _parts_for(subject, measured, effort), effort.resamples
    if subject.name == "panel":
        asked = [name for name in measured.said if name.partition("@")[0] in DEFAULT]
        if len(asked) < len(DEFAULT):
            return [], None
        return await panel_quality({name: measured.said[name] for name in asked}, parts, resamples=resamples), None
    pairs = [pair for part in parts for pair in part.pairs]
    (first, make), *others = subject.engines.items()
    task = progress.add_task(f"{subject.version} {first}", total=len(pairs))
    said = await ask_all(make(), pairs, lambda done: progress.update(task, completed=done))
    measured.said[subject.version] = said
    quality = await judge_quality(subject.version, said, parts, resamples=resamples)
    if not others:
        return quality, None
    (other, make_other), *_ = others
    fewer = [part.at_most(effort.engine_most) for part in parts]
    pairs = [pair for part in fewer for pair in part.pairs]
    task = progress.add_task(f"{subject.version} {other}", total=len(pairs))
    also = await ask_all(make_other(), pairs, lambda done: progress.update(task, completed=done))
    both = {
        first: await judge_quality(subject.version, said, fewer, resamples=resamples),
        other: await judge_quality(subject.version, also, fewer, resamples=resamples),
    }
    return quality, {"names": [first, other], "verdicts": equal_verdicts(said, also, pairs), "quality": both}


def _parts_for(subject: Subject, measured: Measured, effort: Effort) -> list[Part]:
    most = effort.slow_most if subject.name in LOADS_A_MODEL else effort.most
    return [part.at_most(most) for part in measured.parts]


async def renewed(values: Path, effort: Effort, *, names: Sequence[str], nli_model: str | None) -> list[dict[str, Any]]:
    """The cards that are there, their figures on data kept, all else made again. Raises: ConfigError for another version."""
    known = {str(card["judge"]).partition("@")[0]: card for card in read_cards(values, names)}
    cards = []
    for subject in subjects(tuple(known), nli_model=nli_model):
        card = known[subject.name]
        if card["judge"] != subject.version:
            raise ConfigError(
                f"the card is of {card['judge']}, the judge is {subject.version}: measure it on data again"
            )
        cards.append({**card, **await _without_data(subject, effort)})
    return cards


def read_cards(values: Path, names: Sequence[str] = DESCRIBED) -> list[dict[str, Any]]:
    """The cards in a directory, in the order of the registry."""
    files = [values / f"{name}.json" for name in DESCRIBED if name in names]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files if file.is_file()]


def write_cards(cards: Sequence[dict[str, Any]], *, pages: Path, values: Path) -> None:
    """One page and one JSON file each, and the index of all that are there."""
    pages.mkdir(parents=True, exist_ok=True)
    values.mkdir(parents=True, exist_ok=True)
    for card in cards:
        name = str(card["judge"]).partition("@")[0]
        (values / f"{name}.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (pages / f"{name}.md").write_text(page(card), encoding="utf-8")
    (pages / "README.md").write_text(index(read_cards(values)), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the cards; 2 where the data can't be read."""
    parser = argparse.ArgumentParser(prog="make judge-cards", description=__doc__)
    parser.add_argument("data", type=Path, help="directory with pairs*.jsonl[.gz] and judgements*.jsonl[.gz]")
    parser.add_argument("--judges", default=",".join(DESCRIBED), help="only these")
    parser.add_argument("--keep-figures", action="store_true", help="keep the figures on data, make all else again")
    parser.add_argument("--nli-model", help="a cross-encoder by name or path")
    parser.add_argument("--most", type=int, default=1000, help="pairs of a part")
    parser.add_argument("--slow-most", type=int, default=250, help="pairs of a part where a model has to run on each")
    parser.add_argument("--engine-most", type=int, default=40, help="pairs of a part for the second embedding engine")
    parser.add_argument("--timed", type=int, default=60, help="pairs timed for each length")
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap")
    parser.add_argument("--pages", type=Path, default=_ROOT / "docs" / "judges")
    parser.add_argument("--values", type=Path, default=_ROOT / "judges" / "cards")
    options = parser.parse_args(arguments)
    names = [name for name in options.judges.split(",") if name]
    if unknown := sorted(set(names) - set(DESCRIBED)):
        parser.error(f"unknown judge {unknown[0]!r}; known are {', '.join(DESCRIBED)}")
    effort = Effort(
        most=options.most,
        slow_most=options.slow_most,
        engine_most=options.engine_most,
        timed=options.timed,
        resamples=options.resamples,
    )
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            making = (
                renewed(options.values, effort, names=names, nli_model=options.nli_model)
                if options.keep_figures
                else make_cards(options.data, effort, names=names, nli_model=options.nli_model, progress=progress)
            )
            cards = asyncio.run(making)
    except (ShadowError, JudgeError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    write_cards(cards, pages=options.pages, values=options.values)
    sys.stdout.write(f"{len(cards)} cards in {options.pages}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
