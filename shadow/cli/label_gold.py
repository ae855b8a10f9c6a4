"""`shadow label gold`: the frozen set of answers of known truth, in by file, out again, and what judges made of it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shadow.cli.database import store_url
from shadow.cli.options import config_option, json_option
from shadow.errors import ConfigError
from shadow.settings import Settings, load

if TYPE_CHECKING:
    from shadow.store.gold import GoldItem, GoldVersion

#: With fewer items of one kind a drift is hardly seen.
_FEW = 100


def _name(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    from shadow.labels.file import checked_name

    try:
        return checked_name(value, "the name")
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from None


@click.group()
def gold() -> None:
    """Answers of known truth: judged daily by the panel, slipped in among reviewers' samples. Frozen in versions."""


@gold.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--by", required=True, callback=_name, help="Who vouches for the truths.")
@click.option("--note", default="", help="Where they are from.")
@config_option
@json_option
def import_gold(file: Path, by: str, note: str, config: Path, *, as_json: bool) -> None:
    """Freeze FILE (plain or .gz) as a new version of the gold set; the content in force changes nothing.

    A line is a pair as `shadow judge` reads it, with `label` 0 or 1: {"id", "prompt", "answer", "reference", "context",
    "query_type", "label", "reference_label"}. Every bad line is named, and then nothing is frozen; exit code 1.
    """
    from shadow.gold.file import GoldLine, read_gold
    from shadow.json_lines import BadLine

    settings = load(config)
    lines = list(read_gold(file))
    bad = [line for line in lines if isinstance(line, BadLine)]
    items = [line.item for line in lines if isinstance(line, GoldLine)]
    for line in bad:
        click.echo(f"{file}: line {line.line}: {line.reason}", err=True)
    if bad or not items:
        click.echo(
            f"nothing frozen: {len(bad)} of {len(lines)} lines are bad" if bad else "nothing frozen: no lines", err=True
        )
        raise click.exceptions.Exit(1)
    with store_url(settings) as url:
        version, is_new = asyncio.run(_freeze(url, settings, items, by=by, note=note))
    good = sum(item.label for item in items)
    if as_json:
        click.echo(json.dumps({**_version(version), "new": is_new, "acceptable": good}))
        return
    click.echo(
        f"version {version.version} {'frozen' if is_new else 'is in force already'}: {len(items)} items, {good} of them "
        f"acceptable, {version.content_hash[:12]}"
    )
    if min(good, len(items) - good) < _FEW:
        click.echo(
            f"few of one kind: with {_FEW} or more acceptable and unacceptable ones a drift is seen sooner", err=True
        )


@gold.command("list")
@config_option
@json_option
def list_gold(config: Path, *, as_json: bool) -> None:
    """The versions, newest first, and the latest figures of each judge on them."""
    with store_url(load(config)) as url:
        found, figures = asyncio.run(_list(url))
    newest: dict[tuple[int, str], dict[str, Any]] = {}
    for row in figures:
        newest.setdefault((row["version"], row["judge"]), row)
    if as_json:
        rows = [{**row, "day": row["day"].isoformat()} for row in newest.values()]
        click.echo(json.dumps({"versions": [_version(one) for one in found], "figures": rows}))
        return
    for one in found:
        made = f"{one.created_at:%Y-%m-%d} by {one.created_by}"
        click.echo(
            f"version {one.version}: {one.items} items, {made}, {one.content_hash[:12]}{f', {one.note}' if one.note else ''}"
        )
        for (version, judge), row in newest.items():
            if version == one.version:
                click.echo(f"  {row['day']} {judge}: {_figures(row)}")
    if not found:
        click.echo("no gold set yet: freeze one with `shadow label gold import FILE --by NAME`")


@gold.command("export")
@click.option("--out", type=click.Path(path_type=Path), help="Default: stdout.")
@click.option("--version", type=click.IntRange(min=1), help="Default: the one in force.")
@config_option
def export_gold(out: Path | None, version: int | None, config: Path) -> None:
    """Write a version's items in the format that `import` reads."""
    from shadow.gold.file import gold_json

    with store_url(load(config)) as url:
        items = asyncio.run(_items(url, version))
    text = "".join(gold_json(item) for item in items)
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"{out}: cannot be written: {exc.strerror or exc}") from exc
    click.echo(f"{len(items)} items, in {out}", err=True)


async def _freeze(
    url: str, settings: Settings, items: Sequence[GoldItem], *, by: str, note: str
) -> tuple[GoldVersion, bool]:
    from shadow.access.acting import acting
    from shadow.store import gold as store
    from shadow.store.engine import engine_for, utc_now

    engine = engine_for(url, pool_size=1)
    try:
        async with engine.begin() as connection:
            name = await acting(connection, settings, typed=by, needs="approver")
            return await store.freeze(connection, items, by=name, note=note, now=utc_now())
    finally:
        await engine.dispose()


async def _list(url: str) -> tuple[list[GoldVersion], list[dict[str, Any]]]:
    from shadow.store import gold as store
    from shadow.store.engine import engine_for

    engine = engine_for(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            return await store.versions(connection), await store.figure_rows(connection)
    finally:
        await engine.dispose()


async def _items(url: str, wanted: int | None) -> list[GoldItem]:
    from shadow.store import gold as store
    from shadow.store.engine import engine_for

    engine = engine_for(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            known = await store.versions(connection)
            found = [one for one in known if wanted is None or one.version == wanted]
            if not found:
                raise ConfigError(
                    f"there is no version {wanted} of the gold set" if wanted else "there is no gold set yet"
                )
            return await store.items_of(connection, found[0])
    finally:
        await engine.dispose()


def _version(one: GoldVersion) -> dict[str, Any]:
    return {
        "version": one.version,
        "content_hash": one.content_hash,
        "created_by": one.created_by,
        "created_at": one.created_at.isoformat(),
        "note": one.note,
        "items": one.items,
    }


def _figures(row: dict[str, Any]) -> str:
    parts = [f"{row['decided']} of {row['items']} decided"]
    for name in ("agreement", "kappa", "sensitivity", "specificity", "order_consistency"):
        found = row["figures"][name]
        if found["value"] is not None and found["low"] is not None:
            parts.append(f"{name.replace('_', ' ')} {found['value']:.3f} ({found['low']:.3f}-{found['high']:.3f})")
    return ", ".join(parts)
