"""`shadow label`: human labels by file, out to reviewers and back."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shadow.cli.database import store_url
from shadow.cli.label_agreement import agreement
from shadow.cli.label_gold import gold
from shadow.cli.options import config_option, json_option
from shadow.errors import ConfigError
from shadow.settings import Settings, load

if TYPE_CHECKING:
    from shadow.json_lines import BadLine
    from shadow.labels.file import LabelLine
    from shadow.store.engine import AsyncConnection
    from shadow.store.labels import Outcome

_CHUNK = 500
_QUEUE = 500  # items of one reviewer's form, at most
_STORED = ("new", "changed", "same", "older")


def _reviewer(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    from shadow.labels.file import checked_name

    if value is None:
        return None
    try:
        return checked_name(value, "the name")
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from None


@click.group()
def label() -> None:
    """Human labels as files of JSON Lines: sample_id, which, label (0 or 1), reviewer, labelled_at."""


label.add_command(gold)
label.add_command(agreement)


@label.command("export")
@click.option("--out", type=click.Path(path_type=Path), help="Default: stdout. A name ending in .gz is compressed.")
@click.option("--waiting", is_flag=True, help="Instead, a form: the samples that wait for a reviewer, answers blind.")
@click.option("--reviewer", callback=_reviewer, help="With --waiting: this reviewer's queue, as /labels would show it.")
@click.option("--no-texts", is_flag=True, help="With --waiting: leave requests and answers out.")
@config_option
def export(out: Path | None, reviewer: str | None, config: Path, *, waiting: bool, no_texts: bool) -> None:
    """Write all labels, or a form for those that are still to be given.

    In the form each line is one answer, without the name of its tier or model: put 1 into `label` for an answer that a careful
    person would accept, else 0, and give the file to `shadow label import --reviewer NAME`. A line that stays null is left out.
    With --reviewer the form holds what waits for that one: first and second opinions, disputes, and gold items, unmarked.
    """
    settings = load(config)
    if (reviewer is not None or no_texts) and not waiting:
        raise click.UsageError("--reviewer and --no-texts belong to --waiting")
    with store_url(settings) as url, _sink(out) as sink, _progress() as progress:
        if waiting and reviewer is not None:
            written = asyncio.run(_write_queue(url, sink, reviewer, settings, texts=not no_texts))
            said = f"{written[0]} items, {written[1]} answers to label by {reviewer}"
        elif waiting:
            written, skipped = asyncio.run(_write_form(url, sink, progress, texts=not no_texts))
            said = f"{written[0]} samples, {written[1]} answers to label"
            said += "".join(f"; {count} {why}" for why, count in sorted(skipped.items()))
        else:
            said = f"{asyncio.run(_write_labels(url, sink, progress))} labels"
    click.echo(f"{said}{f', in {out}' if out else ''}", err=True)


@label.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--reviewer", callback=_reviewer, help="Who labelled, where a line does not say.")
@config_option
@json_option
def import_labels(file: Path, reviewer: str | None, config: Path, *, as_json: bool) -> None:
    """Store the labels of FILE (plain or .gz). Safe to repeat: one label per sample, answer and reviewer, the newest counts.

    A bad line is named with its number and the reason, the others are stored; exit code 1 if there was any.
    """
    from shadow.json_lines import BadLine
    from shadow.labels.file import read_labels
    from shadow.store.engine import utc_now

    settings = load(config)
    lines = list(read_labels(file, reviewer=reviewer, now=utc_now()))
    bad = [line for line in lines if isinstance(line, BadLine)]
    with store_url(settings) as url, _progress() as progress:
        outcomes, unknown = asyncio.run(_store(url, settings, lines, progress))
    bad = sorted([*bad, *unknown], key=lambda line: line.line)
    for line in bad:
        click.echo(f"{file}: line {line.line}: {line.reason}", err=True)
    if as_json:
        listed = [{"line": line.line, "reason": line.reason} for line in bad]
        click.echo(json.dumps({"file": str(file), "lines": len(lines), **outcomes, "bad_lines": listed}))
    else:
        click.echo(_summary(len(lines), outcomes, len(bad)))
    raise click.exceptions.Exit(1 if bad else 0)


def _summary(lines: int, outcomes: dict[str, int], bad: int) -> str:
    words = {
        "new": "new",
        "changed": "changed",
        "same": "there already",
        "older": "older than what is there, not taken",
        "unlabelled": "not labelled yet",
    }
    parts = [f"{outcomes[name]} {text}" for name, text in words.items() if outcomes[name]]
    return f"{lines} lines: " + ", ".join([*parts, *([f"{bad} bad"] if bad else [])] or ["nothing in them"])


async def _store(
    url: str, settings: Settings, lines: list[LabelLine | BadLine], progress: Progress
) -> tuple[dict[str, int], list[BadLine]]:
    """(how many of which outcome, lines that name an answer nobody has). A transaction per chunk: repeating finishes it."""
    from shadow.json_lines import BadLine
    from shadow.labels.file import LabelLine
    from shadow.labels.labelling import save_gold_label
    from shadow.store.engine import engine_for
    from shadow.store.labels import save_labels

    good = [line for line in lines if isinstance(line, LabelLine)]
    given = [(line.line, line.label) for line in good if line.label is not None]
    counted, unknown = Counter(dict.fromkeys(_STORED, 0)), []
    task = progress.add_task("importing", total=len(given))
    engine = engine_for(url, pool_size=1)
    try:
        for start in range(0, len(given), _CHUNK):
            chunk = given[start : start + _CHUNK]
            async with engine.begin() as connection:
                outcomes = await save_labels(connection, [label for _, label in chunk])
                for place, outcome in enumerate(outcomes):
                    if outcome == "unknown" and await save_gold_label(connection, chunk[place][1]):
                        outcomes[place] = "new"
                await _note(connection, settings, [label.reviewer for _, label in chunk], outcomes)
            for (line, said), outcome in zip(chunk, outcomes, strict=True):
                if outcome == "unknown":
                    reason = f"sample {said.sample_id} has no answer {said.which!r}"
                    unknown.append(BadLine(line=line, reason=reason, id=said.sample_id))
                else:
                    counted[outcome] += 1
            progress.advance(task, len(chunk))
    finally:
        await engine.dispose()
    return {**counted, "unlabelled": len(good) - len(given)}, unknown


async def _note(connection: AsyncConnection, settings: Settings, reviewers: list[str], outcomes: list[Outcome]) -> None:
    """What a transaction stores, in the audit: how many labels of whom. Raises: RefusedError for whoever may not import."""
    from shadow.access.acting import acting
    from shadow.store import audit
    from shadow.store.engine import utc_now

    name = await acting(connection, settings, typed=None, needs="reviewer", otherwise="shadow label import")
    stored = [(who, what) for who, what in zip(reviewers, outcomes, strict=True) if what in {"new", "changed"}]
    if stored:
        details = {
            what: dict(Counter(who for who, outcome in stored if outcome == what)) for what in ("new", "changed")
        }
        await audit.record(
            connection, actor=name, action="labels.imported", subject="labels", details=details, now=utc_now()
        )


async def _write_labels(url: str, sink: TextIO, progress: Progress) -> int:
    from shadow.labels.file import label_json
    from shadow.store.engine import engine_for
    from shadow.store.labels import all_labels, count_labels

    engine, written = engine_for(url, pool_size=1), 0
    try:
        async with engine.connect() as connection:
            task = progress.add_task("exporting", total=await count_labels(connection))
            async for one in all_labels(connection):
                sink.write(label_json(one))
                written += 1
                progress.advance(task)
    finally:
        await engine.dispose()
    return written


async def _write_queue(url: str, sink: TextIO, reviewer: str, settings: Settings, *, texts: bool) -> tuple[int, int]:
    """(items, answers) written, of one reviewer's queue."""
    from shadow.labels.file import item_lines
    from shadow.labels.labelling import queue_of
    from shadow.store.engine import engine_for

    engine = engine_for(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            items = await queue_of(connection, reviewer, settings.labels, limit=_QUEUE)
    finally:
        await engine.dispose()
    lines = [line for item in items for line in item_lines(item, texts=texts)]
    sink.writelines(lines)
    return len(items), len(lines)


async def _write_form(
    url: str, sink: TextIO, progress: Progress, *, texts: bool
) -> tuple[tuple[int, int], dict[str, int]]:
    """((samples, answers) written, how many samples were left out by reason)."""
    from shadow.labels.file import form_lines
    from shadow.store.engine import engine_for
    from shadow.store.labels import waiting_for_label, waiting_samples

    engine, samples, answers = engine_for(url, pool_size=1), 0, 0
    skipped: Counter[str] = Counter()
    try:
        async with engine.connect() as connection:
            ids = await waiting_for_label(connection, None)
            task = progress.add_task("exporting", total=len(ids))
            for start in range(0, len(ids), _CHUNK):
                chunk = ids[start : start + _CHUNK]
                found = await waiting_samples(connection, chunk)
                if len(found) < len(chunk):
                    skipped["are still being mirrored and come with a later export"] += len(chunk) - len(found)
                for sample in found:
                    lines = form_lines(sample, texts=texts)
                    sink.writelines(lines)
                    samples, answers = samples + bool(lines), answers + len(lines)
                    if not lines:
                        skipped["can't be labelled: their texts are not kept (sampling.store_text)"] += 1
                progress.advance(task, len(chunk))
    finally:
        await engine.dispose()
    return (samples, answers), dict(skipped)


@contextmanager
def _sink(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    try:
        with gzip.open(out, "wt", encoding="utf-8") if out.suffix == ".gz" else out.open("w", encoding="utf-8") as file:
            yield file
    except OSError as exc:
        raise ConfigError(f"{out}: cannot be written: {exc.strerror or exc}") from exc


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
