"""Do labels in the store make a calibration, and do report and console say what stands behind the verdicts?"""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy.ext.asyncio import AsyncEngine

from judges.calibration import read_calibration
from judges.contracts import Comparison
from judges.registry import KNOWN
from judges.stages import kind_of
from shadow.cli.judge import judge
from shadow.console.app import create_console
from shadow.judging.days_text import judge_days_lines
from shadow.judging.store import RecordedJudge, labelled_pairs
from shadow.reports.window import build_report
from shadow.settings import Settings
from shadow.store.engine import utc_now
from shadow.store.judge_days import judge_counts
from shadow.store.labelled import labelled_answers

pytestmark = pytest.mark.slow


def test_a_calibration_is_fitted_on_the_labels_of_the_store(
    filled_database_url: str, console_config: Settings, tmp_path: Path
) -> None:
    content = console_config.model_dump(mode="json", exclude_unset=True)
    content["database"] = {"url": filled_database_url}
    content["judges"] = {"panel": ["structured", "lexical", "markers"]}
    config = tmp_path / "shadow.yaml"
    config.write_text(yaml.safe_dump(content))
    arguments = ["--from-store", "--config", config, "--fit", tmp_path / "cal", "--resamples", "20", "--json"]
    done = CliRunner().invoke(judge, [str(word) for word in arguments])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    made = read_calibration(tmp_path / "cal")
    assert report["file"] == "store"
    assert report["selected"] == report["overall"]["n_labelled"] == made.provenance["labels"] >= 50
    assert set(made.provenance["datasets"]) == {"store"}
    # Five questions, however often they were asked: as many as five labels certify nothing.
    assert made.certificate is not None
    found = [cut.found for cuts in made.certificate.stages.values() for cut in cuts.values()]
    assert found
    assert all(one.threshold is None for one in found)
    assert report["overall"]["verdicts"]["abstain"] == report["selected"]


async def test_only_frozen_verdicts_on_drawn_samples_are_fitted_on(
    filled_engine: AsyncEngine, console_config: Settings
) -> None:
    now = utc_now()
    async with filled_engine.connect() as connection:
        labelled = await labelled_answers(connection, since=now - timedelta(days=1), until=now)
        found = await labelled_pairs(connection, console_config, since=now - timedelta(days=1), until=now)
    assert len(found.pairs) + sum(found.left_out.values()) == len(labelled)
    assert {pair.label for pair in found.pairs} == {0, 1}
    assert all("lexical@1" in one.scores for one in labelled)  # judged, every one


async def test_what_a_language_model_said_is_said_again() -> None:
    known, other = (Comparison(prompt="Q", answer=text, reference="r") for text in ("a", "b"))
    recorded = RecordedJudge("rubric@3", [known], [0.8])
    assert [said.score for said in await recorded.judge([known, other])] == [0.8, None]
    assert kind_of(recorded.name) in KNOWN


async def test_report_and_console_tell_whom_verdicts_took_and_how_true_they_are(
    filled_engine: AsyncEngine, console_config: Settings
) -> None:
    now = utc_now()
    since = now - timedelta(days=1)
    async with filled_engine.connect() as connection:
        counts = await judge_counts(connection, since=since.date(), until=now.date())
    total = Counter[str]()
    for one in counts:
        total[one.judge] += one.asked
    assert total["panel@1"] == total["lexical@1"] == total["structured@1"] > 0
    spared = sum(one.spared for one in counts if one.judge == "semantic@1")
    assert 0 < spared == sum(one.decided for one in counts)
    made = await build_report(filled_engine, tiers=console_config.tier_names, since=since, until=now)
    lines = "\n".join(judge_days_lines(made.judging))
    assert f"semantic@1 {spared:,} (asked 0)" in lines
    assert "On borrowed calibration: summary." in lines
    transport = httpx.ASGITransport(create_console(console_config, filled_engine))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8081") as client:
        page = (await client.get("/judges")).text
    for words in (
        "Expected calibration error",
        "<svg",
        "decides from",
        "labels behind",
        "saved",
        "semantic@1",
        "known blind spots",
    ):
        assert words in page
    assert "style=" not in page
