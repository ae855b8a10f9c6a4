"""Does `shadow judgements` say what recorded judges said, and how far they can be trusted?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from shadow.cli.judgements import judgements
from shadow.statistics.judge_agreement import kappa, lean, share


def row(identity: str, order: str | None, raw: str | None, **more: Any) -> dict[str, Any]:
    base = {"id": identity, "dataset": "d", "prompt": f"q{identity[0]}", "a": "x", "b": "y", "human": "A"}
    return base | {"judge": "m/Vanilla", "order": order, "raw": raw, "parsed": None} | more


def run(path: Path, lines: list[Any], *options: str) -> Result:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return CliRunner().invoke(judgements, [str(path), "--resamples", "50", *options])


ROWS = [
    row("1ab", "ab", "Output (a)", parsed="A"),
    row("1ba", "ba", "Output (b)", parsed="A"),
    row("2ab", "ab", "Output (a)", parsed="A"),
    row("2ba", "ba", "Output (a)", parsed="B"),
    row("3ab", "ab", None),
    row("3ba", "ba", "Output (b)", parsed="A"),
]


def test_figures_come_with_intervals_by_judge(tmp_path: Path) -> None:
    result = run(tmp_path / "f.jsonl", ROWS, "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    (group,) = report["groups"]
    assert group["group"] == {"judge": "m/Vanilla", "dataset": "d"}
    assert group["parsed"]["value"] == pytest.approx(5 / 6)
    assert group["recorded"]["also_parsed"]["value"] == 1.0
    assert (group["recorded"]["wrong"], group["recorded"]["disputed"]) == (0, [])
    assert group["human_agreement"]["value"] == pytest.approx(4 / 5)
    assert group["order_consistency"]["value"] == 0.5
    assert group["position_bias"]["value"] == pytest.approx(0.25)
    for key in ("parsed", "human_agreement", "order_consistency", "position_bias"):
        low, high = group[key]["interval"]
        assert low <= group[key]["value"] <= high
        assert low < high


def test_a_verdict_unlike_the_file_is_counted_as_wrong(tmp_path: Path) -> None:
    report = json.loads(run(tmp_path / "f.jsonl", [row("1", "ba", "Output (a)", parsed="A")], "--json").stdout)
    assert report["overall"]["recorded"]["wrong"] == 1


def test_what_the_words_contradict_is_listed_with_its_line(tmp_path: Path) -> None:
    raw = "Output (b) is better.\n\nOutput (a) is off."
    report = json.loads(
        run(tmp_path / "f.jsonl", [row("7", "ab", raw, judge="PaLM2/CoT", parsed="A")], "--json").stdout
    )
    (disputed,) = report["overall"]["recorded"]["disputed"]
    assert (disputed["line"], disputed["id"]) == (1, "7")
    assert report["overall"]["parsed"]["value"] == 0.0


def test_two_grades_of_one_prompt_are_a_choice(tmp_path: Path) -> None:
    graded = {"judge": "m/Rating", "order": None, "b": None, "human": None}
    lines = [row("1ab", "ab", "Output (a)"), row("1:a", raw="8", **graded), row("1:b", raw="3", **graded | {"a": "y"})]
    report = json.loads(run(tmp_path / "f.jsonl", lines, "--json").stdout)
    assert report["overall"]["by_grade"]["pairs"] == 1
    assert report["overall"]["by_grade"]["human_agreement"]["value"] == 1.0
    assert report["overall"]["grades"]["mean"]["value"] == 5.5


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        (row("1", "xy", "Output (a)"), '"order" has to be "ab", "ba" or null'),
        (row("1", "ab", "Output (a)", parsed="yes"), '"parsed" has to be'),
        (row("1", "ab", "Output (a)", judge=None), '"judge" has to be a string'),
        ({"judge": "x"}, '"id" has to be'),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_read(tmp_path: Path, line: Any, reason: str) -> None:
    out = tmp_path / "out.jsonl"
    result = run(tmp_path / "f.jsonl", [line, ROWS[0]], "--out", str(out))
    assert result.exit_code == 1
    assert "line 1" in result.stderr
    assert reason in result.stderr
    written = [json.loads(each) for each in out.read_text().splitlines()]
    assert [each["value"] for each in written] == [None, "A"]


def test_a_missing_file_and_no_rows_are_said_plainly(tmp_path: Path) -> None:
    missing = CliRunner().invoke(judgements, [str(tmp_path / "none.jsonl")])
    assert missing.exit_code == 2
    assert "no such file" in missing.stderr
    (tmp_path / "empty.jsonl").write_text("")
    empty = CliRunner().invoke(judgements, [str(tmp_path / "empty.jsonl"), "--json"])
    assert json.loads(empty.stdout)["overall"]["parsed"]["value"] is None


def test_kappa_is_cohens() -> None:
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: the textbook's 0.4."""
    said = ["y"] * 25 + ["n"] * 25
    truth = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    found = kappa(said, truth, [str(i) for i in range(50)], rng=np.random.default_rng(0), resamples=200)
    assert found.value == pytest.approx(0.4)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.4 < found.high


def test_more_rows_of_the_same_prompts_are_no_more_evidence() -> None:
    once, thrice = share([True, False], ["p", "q"]), share([True, False] * 3, ["p", "q"] * 3)
    assert (once.low, once.high) == (thrice.low, thrice.high)


def test_no_leaning_ever_seen_is_no_certainty() -> None:
    found = lean([0.0] * 20, [str(i) for i in range(20)])
    assert found.value == 0.0
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.0 < found.high
    always = lean([1.0] * 20, [str(i) for i in range(20)])
    assert (always.value, always.high) == (0.5, 0.5)
