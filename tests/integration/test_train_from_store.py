"""Does a model come out of a real store, from what was mirrored, judged and labelled, and is too little refused?"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from judges.contracts import PanelJudgment
from router.contracts import Exchange
from router.features import extract_features
from router.scorers.learned import LearnedScorer
from shadow.sampling.draws import Rates, draw
from shadow.store import labels, samples
from shadow.store.engine import engine_for, utc_now

pytestmark = pytest.mark.slow
TIERS = ("fast", "top")
RATES = Rates(up=0.9, down=0.05, control_share=0.0, all_tiers_share=0.0, label=0.2)
PRICE = {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0}
#: Proofs are too hard for the cheap tier; sums are not.
SKILL = {"prove the lemma": 0.1, "add the numbers": 0.95}


async def fill(url: str, example: Exchange, requests: int, *, kept: bool = True) -> None:
    """Mirrored requests with verdicts, and labels on the served answers of some."""
    rng, engine = random.Random(5), engine_for(url)
    try:
        async with engine.begin() as connection:
            for at in range(requests):
                text = f"{list(SKILL)[at % 2]} about item {at} " + "and so on " * rng.randrange(6)
                body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]})
                request_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
                exchange = replace(
                    example,
                    request_id=request_id,
                    started_at=utc_now() - timedelta(hours=1 + at % 40),
                    request_body=body if kept else "",
                )
                drawn = draw(RATES, seed="s", request_id=str(at), served_tier="fast", tiers=TIERS)
                if drawn is None:
                    continue
                await samples.insert_samples(connection, [(exchange, drawn, text if kept else "")])
                right = rng.random() < SKILL[list(SKILL)[at % 2]]
                for target in drawn.targets:
                    await samples.save_answer(
                        connection,
                        request_id,
                        samples.Answer(
                            tier=target.tier,
                            repeat=target.repeat,
                            served=False,
                            pi=target.pi,
                            outcome="ok",
                            completion="yes",
                        ),
                    )
                obtained = await samples.load_answers(connection, request_id)
                said = PanelJudgment(
                    panel="p@1",
                    verdict="accept" if right else "reject",
                    probability=0.9 if right else 0.1,
                    judgments=(),
                )
                await samples.save_judgments(connection, request_id, [(obtained[0], said)])
                await samples.set_state(connection, request_id, "judged")
                if drawn.label_drawn:
                    label = labels.Label(
                        sample_id=request_id, which="served", label=int(right), reviewer="mira", labelled_at=utc_now()
                    )
                    await labels.save_label(connection, label)
    finally:
        await engine.dispose()


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    """`shadow train --from-store` on this database."""
    content: dict[str, Any] = {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [
            {"name": tier, "models": [{"provider": "lab", "model": f"{tier}-1", "price": PRICE}]} for tier in TIERS
        ],
        "routing": {"thresholds": {"fast": 0.8}},
        "database": {"url": database_url},
    }

    def call(*words: str | Path, store_text: str = "full") -> subprocess.CompletedProcess[str]:
        config = tmp_path / "shadow.yaml"
        config.write_text(yaml.safe_dump({**content, "sampling": {"store_text": store_text}}))
        command = [
            sys.executable,
            "-m",
            "shadow.cli.main",
            "train",
            "--from-store",
            "--config",
            str(config),
            *map(str, words),
        ]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, env=environment)

    return call


def test_a_model_comes_out_that_knows_what_is_hard_for_whom(
    database_url: str, one_exchange: Exchange, run: Run, tmp_path: Path
) -> None:
    asyncio.run(fill(database_url, one_exchange, 400))
    done = run("--out", tmp_path / "model", "--json")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)["data"]
    assert data["rows"] == data["assumed"] == data["labels"] + data["verdicts"]
    assert data["labels"] > 40
    assert f"{data['rows']} used: outcomes from {data['labels']} labels" in done.stderr
    scorer = LearnedScorer.load(tmp_path / "model", TIERS)

    def confidence(text: str) -> float:
        return scorer.scores(extract_features({"messages": [{"role": "user", "content": text}]}))["fast"]

    assert confidence("prove the lemma about item 1234") < 0.5 < 0.8 < confidence("add the numbers about item 1234")
    half = run("--out", tmp_path / "half", "--split", "a", "--days", 7)
    assert half.returncode == (0 if "200 are needed" not in half.stderr else 2)
    assert "of the other half" in half.stdout


def test_too_few_are_refused_in_one_line_that_says_how_many_more(
    database_url: str, one_exchange: Exchange, run: Run, tmp_path: Path
) -> None:
    asyncio.run(fill(database_url, one_exchange, 30))
    done = run("--out", tmp_path / "model")
    assert done.returncode == 2
    assert "200 are needed" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "model").exists()


def test_without_texts_there_is_nothing_to_learn_from(
    database_url: str, one_exchange: Exchange, run: Run, tmp_path: Path
) -> None:
    asyncio.run(fill(database_url, one_exchange, 20, kept=False))
    done = run("--out", tmp_path / "model", store_text="none")
    assert done.returncode == 2
    assert "sampling.store_text is none" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [(), ("outcomes.jsonl", "--from-store")])
def test_it_is_either_a_file_or_the_store(words: tuple[str, ...], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "shadow.cli.main", "train", *words, "--out", str(tmp_path / "m")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "--from-store" in done.stderr
