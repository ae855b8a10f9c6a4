"""Judge cards: the same data give the same card but for times, and a page shows the values of its card."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from judges.card import judge_card
from judges.contracts import Comparison, Judgment
from judges.described import DESCRIBED, description
from shadow.console.judge_cards import card_rows
from shadow.judge_cards.data import load_parts
from shadow.judge_cards.generate import main, read_cards
from shadow.judge_cards.page import index, page
from shadow.judge_cards.quality import judge_quality
from shadow.judge_cards.subjects import key_of

RENEW = "run `make judge-cards DATA=... CARDS_ARGS=--keep-figures`"
ROOT = Path(__file__).resolve().parents[3]


def write_pairs(directory: Path, n: int = 240) -> None:
    """Two systems that answer questions of arithmetic, right or off by one, in few words or many."""
    rng, lines = random.Random(4), []
    for i in range(n):
        a, b, right = rng.randrange(2, 90), rng.randrange(2, 90), rng.random() < 0.7
        said = a + b + (0 if right else 1)
        row = {
            "id": i, "dataset": "sums", "prompt": f"What is {a} + {b}?", "query_type": "math", "label": int(right),
            "answer": f"{a} + {b} = {said}." if rng.random() < 0.5 else f"The answer is {said}.",
            "reference": f"The answer is {a + b}.",
            "meta": {"group": f"{a}+{b}", "answer_model": f"m{i % 2}", "label_source": "exact"},
        }  # fmt: skip
        lines.append(json.dumps(row))
    (directory / "pairs-sums.jsonl").write_text("\n".join(lines) + "\nnot JSON\n", encoding="utf-8")


def made(tmp_path: Path, run: str, *arguments: str) -> tuple[Path, list[dict[str, Any]]]:
    pages, values = tmp_path / run, tmp_path / f"{run}-values"
    quick = ("--timed", "1", "--resamples", "50", "--most", "150", "--pages", str(pages), "--values", str(values))
    assert main([str(tmp_path), "--judges", "structured,rubric", *quick, *arguments]) == 0
    return pages, read_cards(values)


def test_the_same_data_give_the_same_cards_but_for_times(tmp_path: Path) -> None:
    write_pairs(tmp_path)
    (pages, cards), (_, again) = made(tmp_path, "first"), made(tmp_path, "second")
    structured, rubric = cards
    (row,) = structured["quality"]
    assert row["part"] == "sums"
    assert row["auroc"]["low"] <= row["auroc"]["value"] <= row["auroc"]["high"]
    assert row["auroc"]["value"] > 0.95
    assert row["kappa"]["value"] > 0.9
    assert row["length_auroc"]["value"] < 0.65
    assert row["gain_over_length"]["low"] > 0.2
    assert row["pairs"] <= 150
    (file,) = structured["data"]["files"]
    assert (file["rows"], file["labelled"], file["bad_lines"]) == (241, 240, 1)
    assert "whole questions" in structured["data"]["parts"][0]["selection"]
    assert (rubric["quality"], rubric["not_measured"][0].split()[0]) == ([], "agreement")
    assert rubric["prompt_tokens"][0]["tokens"] > 100
    for one, other in zip(cards, again, strict=True):
        assert {**one, "timings": None} == {**other, "timings": None}
        assert (pages / f"{one['judge'].partition('@')[0]}.md").read_text(encoding="utf-8") == page(one)
    before = (pages / "structured.md").read_text(encoding="utf-8")
    made(tmp_path, "first", "--keep-figures")
    after = (pages / "structured.md").read_text(encoding="utf-8")
    parts = [text.partition("## Time\n") for text in (before, after)]
    assert parts[0][0] == parts[1][0]
    assert [part[2].partition("## How")[2] for part in parts] == [parts[0][2].partition("## How")[2]] * 2


def test_a_bad_path_and_a_folder_without_pairs_are_one_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for directory, words in ((tmp_path / "none", "no such directory"), (tmp_path, "holds no files of pairs")):
        assert main([str(directory)]) == 2
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1
        assert words in said[0]


def test_a_judge_that_mostly_abstains_is_at_one_half_not_below(tmp_path: Path) -> None:
    write_pairs(tmp_path)
    _, parts = load_parts(tmp_path, most=1000)
    silent = Judgment(judge="mute@1", verdict="abstain", score=None, rationale="")

    def said(comparison: Comparison) -> Judgment:
        return silent

    rows = asyncio.run(
        judge_quality(
            "mute@1",
            {key_of(p.comparison): said(p.comparison) for part in parts for p in part.pairs},
            parts,
            resamples=0,
        )
    )
    assert [row["auroc"]["value"] for row in rows] == [0.5] * len(rows)
    assert rows[0]["coverage"]["value"] == 0.0
    assert rows[0]["kappa"]["value"] is None


def test_the_console_shows_the_cards_of_the_judges_that_are_asked_and_says_where_another_version_was() -> None:
    rows = card_rows(("structured", "rubric"), ["structured@0", "lexical@0"])
    assert [row.judge.partition("@")[0] for row in rows] == ["structured", "rubric", "panel"]
    structured, rubric, _ = rows
    assert structured.asked == ["structured@0"]
    assert structured.auroc is not None
    assert structured.auroc[0] < structured.auroc[1]
    assert structured.milliseconds is not None
    assert (rubric.auroc, rubric.coverage, rubric.milliseconds, rubric.asked) == (None, None, None, [])
    assert all(row.blind_spots for row in rows)


def test_the_pages_show_the_cards_that_come_with_the_package() -> None:
    cards = [card for name in DESCRIBED if (card := judge_card(name)) is not None]
    assert len(cards) == len(DESCRIBED)
    for card in cards:
        name = str(card["judge"]).partition("@")[0]
        words = description(name)
        assert [spot["text"] for spot in card["blind_spots"]] == [spot.text for spot in words.blind_spots], RENEW
        assert (card["sees"], card["cost"]) == (list(words.sees), words.cost), RENEW
        assert (ROOT / "docs" / "judges" / f"{name}.md").read_text(encoding="utf-8") == page(card)
    assert (ROOT / "docs" / "judges" / "README.md").read_text(encoding="utf-8") == index(cards)
