"""Labels out to reviewers and back, by file: blind, idempotent, and a bad line never costs a good one."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from shadow.cli.main import main
from shadow.store.engine import AsyncEngine, engine_for, libpq_url
from shadow.store.labels import Label, blind_name, save_labels

pytestmark = pytest.mark.slow
PRICE = {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0}
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def store(filled_database_url: str) -> str:
    """Some hours of traffic; of the labels given, every third served answer's is taken back: it waits for a reviewer."""
    with psycopg.connect(libpq_url(filled_database_url)) as connection:
        connection.execute("DELETE FROM labels WHERE ('x' || right(request_id::text, 4))::bit(16)::int % 3 = 0")
        connection.execute("DELETE FROM rollup_queue")
    return filled_database_url


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(libpq_url(url)) as connection:
        return connection.execute(query.encode()).fetchall()


LABELS = "SELECT request_id::text, tier, reviewer, label, labelled_at FROM labels ORDER BY 1, 2, 3"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`shadow label …` on that store."""
    config = tmp_path / "shadow.yaml"
    content = {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [
            {"name": tier, "models": [{"provider": "lab", "model": f"{tier}-1", "price": PRICE}]}
            for tier in ("fast", "balanced", "frontier")
        ],
        "routing": {"thresholds": {"fast": 0.8, "balanced": 0.6}},
        "labels": {"second_share": 1.0, "gold_share": 0.3},
        "database": {"url": store},
    }
    config.write_text(yaml.safe_dump(content))
    monkeypatch.setenv("SHADOW_CONFIG", str(config))

    def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
        """In this process, as the entry point would do it: a process of its own each time takes seconds."""
        out, err, code = io.StringIO(), io.StringIO(), 0
        monkeypatch.setattr(sys, "argv", ["shadow", "label", *map(str, words)])
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    return call


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_what_is_exported_can_be_imported_and_changes_nothing(run: Run, store: str, tmp_path: Path) -> None:
    before = rows(store, LABELS)
    assert len(before) > 20
    file = tmp_path / "labels.jsonl.gz"
    assert run("export", "--out", file).returncode == 0
    done = run("import", file, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["lines"], result["same"], result["new"], result["changed"]) == (len(before), len(before), 0, 0)
    assert rows(store, LABELS) == before
    assert rows(store, "SELECT * FROM rollup_queue") == []

    with psycopg.connect(libpq_url(store)) as connection:
        connection.execute("DELETE FROM labels")
    assert json.loads(run("import", file, "--json").stdout)["new"] == len(before)
    assert rows(store, LABELS) == before
    assert rows(store, "SELECT count(*) > 0 FROM rollup_queue") == [(True,)]


def test_a_form_is_blind_can_be_filled_in_and_comes_back(run: Run, store: str, tmp_path: Path) -> None:
    form = tmp_path / "form.jsonl"
    said = run("export", "--waiting", "--out", form).stderr
    lines = lines_of(form.read_text())
    samples = {line["sample_id"] for line in lines}
    assert len(samples) > 5
    assert f"{len(samples)} samples, {len(lines)} answers to label" in said
    tiers = ("fast", "balanced", "frontier")
    for line in lines:
        assert line["label"] is None
        assert set(line) == {
            "sample_id",
            "which",
            "label",
            "reviewer",
            "labelled_at",
            "prompt",
            "context",
            "answer",
        }
        assert not any(tier in json.dumps({**line, "prompt": "", "answer": ""}) for tier in tiers)
    served = {
        (request_id, blind_name(request_id, tier))
        for request_id, tier in rows(store, "SELECT request_id::text, tier FROM answers WHERE served")
    }
    position: dict[str, list[bool]] = {}
    for line in lines:
        position.setdefault(line["sample_id"], []).append((line["sample_id"], line["which"]) in served)
    assert all(sum(flags) == 1 for flags in position.values())

    # Two thirds are filled in; the rest stays null and waits on.
    for number, line in enumerate(lines):
        line["label"] = None if line["sample_id"] == lines[-1]["sample_id"] else number % 2
    form.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert run("import", form).returncode == 1  # nobody says who labelled
    done = run("import", form, "--reviewer", "zoe", "--json")
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    again = json.loads(run("import", form, "--reviewer", "zoe", "--json").stdout)
    filled = [line for line in lines if line["label"] is not None]
    assert (first["new"], first["unlabelled"]) == (len(filled), len(lines) - len(filled))
    assert (again["new"], again["same"]) == (0, len(filled))
    waiting = lines_of(run("export", "--waiting").stdout)
    assert {line["sample_id"] for line in waiting} == {lines[-1]["sample_id"]}
    stored = {
        (request_id, blind_name(request_id, tier)): label
        for request_id, tier, reviewer, label, _ in rows(store, LABELS)
        if reviewer == "zoe"
    }
    assert stored == {(line["sample_id"], line["which"]): line["label"] for line in filled}


def test_bad_lines_are_named_and_the_others_are_stored(run: Run, store: str, tmp_path: Path) -> None:
    (sample_id,) = next(iter(rows(store, "SELECT request_id::text FROM answers WHERE served ORDER BY 1 LIMIT 1")))
    good = {"sample_id": sample_id, "which": "served", "label": 1, "reviewer": "noa"}
    content = [
        json.dumps(good),
        "{",
        json.dumps({**good, "label": 3}),
        json.dumps({**good, "which": "nobody"}),
        json.dumps({**good, "which": "blind:0123456789ab"}),
        json.dumps({**good, "sample_id": "01890a5d-ac96-774b-bcce-b302099a8057"}),
        json.dumps({**good, "reviewer": "zoe-2"}),
    ]
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join(content) + "\n")
    done = run("import", file)
    assert done.returncode == 1
    assert done.stdout == "7 lines: 2 new, 5 bad\n"
    named = [line.removeprefix(f"{file}: ") for line in done.stderr.splitlines()]
    assert [line.partition(":")[0] for line in named] == ["line 2", "line 3", "line 4", "line 5", "line 6"]
    assert "has no answer 'nobody'" in named[2]
    stored = rows(store, "SELECT reviewer FROM labels WHERE reviewer IN ('noa', 'zoe-2') ORDER BY 1")
    assert stored == [("noa",), ("zoe-2",)]


def test_one_reviewers_queue_goes_out_with_gold_items_that_look_like_all_others(
    run: Run, store: str, tmp_path: Path
) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_text(json.dumps({"id": "g", "prompt": "2 + 2?", "answer": "5", "label": 0}) + "\n")
    assert run("gold", "import", gold, "--by", "mira").returncode == 0
    form = tmp_path / "queue.jsonl"
    assert run("export", "--waiting", "--reviewer", "ann", "--no-texts", "--out", form).returncode == 0
    lines = lines_of(form.read_text())
    assert {tuple(sorted(line)) for line in lines} == {("label", "labelled_at", "reviewer", "sample_id", "which")}
    assert all(line["which"].startswith("blind:") for line in lines)
    known = {request_id for (request_id,) in rows(store, "SELECT request_id::text FROM samples")}
    assert len({line["sample_id"] for line in lines} - known) == 1
    assert "2 + 2?" in run("export", "--waiting", "--reviewer", "ann").stdout
    form.write_text("".join(json.dumps({**line, "label": 1}) + "\n" for line in lines))
    first, again = (json.loads(run("import", form, "--reviewer", "ann", "--json").stdout) for _ in range(2))
    assert (first["new"], again["bad_lines"]) == (len(lines), [])
    assert rows(store, "SELECT truth, label FROM gold_checks WHERE reviewer = 'ann'") == [(0, 1)]
    assert run("export", "--waiting", "--reviewer", "ann").stdout == ""
    said = run("agreement").stdout
    assert "answers that two of them labelled; kappa" in said
    assert json.loads(run("agreement", "--json").stdout)["overall"]["agreed"]["n"] > 10
    assert run("export", "--no-texts").returncode == 2


def test_a_file_that_cannot_be_read_or_written_is_one_line(run: Run, tmp_path: Path) -> None:
    for words in (("export", "--out", "/proc/shadowtier"), ("import", tmp_path / "nowhere"), ("import", tmp_path)):
        done = run(*words)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert str(words[-1]) in done.stderr


@pytest.fixture
async def engine(store: str) -> AsyncIterator[AsyncEngine]:
    """An engine for one test."""
    made = engine_for(store)
    yield made
    await made.dispose()


async def test_the_newest_label_of_a_reviewer_counts_whatever_comes_last(engine: AsyncEngine, store: str) -> None:
    (sample_id,) = rows(store, "SELECT request_id::text FROM answers WHERE served ORDER BY 1 DESC LIMIT 1")[0]

    def said(label: int, hours: float, which: str = "served") -> Label:
        at = NOW - timedelta(hours=hours)
        return Label(sample_id=sample_id, which=which, label=label, reviewer="newest", labelled_at=at)

    async with engine.begin() as connection:
        (tier,) = rows(store, f"SELECT tier FROM answers WHERE served AND request_id = '{sample_id}'")[0]
        outcomes = await save_labels(
            connection,
            [
                said(1, 5),
                said(0, 6),
                said(1, 4, tier),
                said(0, 3, blind_name(sample_id, tier)),
                said(0, 2),
                said(1, 2, "nobody"),
            ],
        )
        assert outcomes == ["new", "older", "same", "changed", "same", "unknown"]
        assert await save_labels(connection, [said(1, 4)]) == ["older"]
        assert await save_labels(connection, [said(1, 3)]) == ["changed"]
    assert rows(store, "SELECT label FROM labels WHERE reviewer = 'newest'") == [(1,)]
