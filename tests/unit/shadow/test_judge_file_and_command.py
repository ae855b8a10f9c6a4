"""Does `shadow judge` read what people have, drop nothing, and say what it found?"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from shadow.cli.judge import judge
from shadow.json_lines import BadLine
from shadow.judging.pair_file import Pair, lookup, matches, parse_line, side_of

FAST = ["--panel", "structured,lexical,markers", "--resamples", "50"]
CITIES = ["Paris", "Rome", "Madrid", "Oslo", "Vienna", "Lisbon", "Athens", "Dublin", "Warsaw", "Prague"]


def pair(number: int, *, right: bool, **more: Any) -> dict[str, Any]:
    city, other = CITIES[number % 10], CITIES[(number + 3) % 10]
    return {
        "id": f"p{number}",
        "prompt": f"Question {number}: which city is meant?",
        "answer": f"{city if right else other}, I think.",
        "reference": f"The city is {city}.",
        "label": int(right),
        "query_type": "qa",
        "dataset": "made up",
        "meta": {"group": f"g{number}", "answer_model": "small" if number % 2 else "tiny"},
        "unknown": [1],
    } | more


def write(path: Path, lines: list[Any]) -> Path:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(judge, [str(a) for a in arguments])


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    return write(tmp_path / "pairs.jsonl.gz", [pair(i, right=i % 3 > 0) for i in range(120)])


def test_labels_give_figures_with_intervals_over_all_and_by_group(pairs: Path) -> None:
    result = run(pairs, "--group-by", "meta.answer_model,dataset", "--json", *FAST)
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["overall"]["n"] == report["overall"]["n_labelled"] == report["selected"] == 120
    assert report["overall"]["auroc"] > 0.95
    low, high = report["overall"]["auroc_interval"]
    assert low <= report["overall"]["auroc"] <= high
    assert {"accuracy", "kappa", "calibration_error", "length_auroc", "gain_over_length", "coverage"} <= set(
        report["overall"]
    )
    assert [g["group"] for g in report["groups"]] == [
        {"meta.answer_model": "small", "dataset": "made up"},
        {"meta.answer_model": "tiny", "dataset": "made up"},
    ]
    assert report["judges"] == ["structured@3", "lexical@3", "markers@3"]


def test_out_has_one_line_per_line_in_order(pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert run(pairs, "--out", out, *FAST).exit_code == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["id"] for line in lines] == [f"p{i}" for i in range(120)]
    for line in lines:
        assert set(line) == {"id", "score", "verdict", "markers", "judges", "cost_usd"}
        assert 0 <= line["score"] <= 1
        assert line["verdict"] in {"accept", "reject", "abstain"}


def test_a_bad_line_is_named_and_the_others_are_judged(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    good = json.dumps(pair(1, right=True)).encode()
    bad = [
        b"{",
        b"[]",
        b"",
        b'{"id": "x", "prompt": "p"}',
        b'{"id": "y", "prompt": "p", "answer": "a", "label": 2}',
        b"\xff\xfe",
        b'{"id": NaN}',
    ]
    path.write_bytes(b"\n".join([good, *bad, good]) + b"\n")
    out = tmp_path / "out.jsonl"
    result = run(path, "--json", "--out", out, *FAST)
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert [b["line"] for b in report["bad_lines"]] == [2, 3, 4, 5, 6, 7, 8]
    assert report["lines"] == 9
    assert report["selected"] == 2
    assert 'line 5: "answer" has to be a string' in result.stderr
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(written) == 9
    assert written[4] == {
        "id": "x", "score": None, "verdict": "abstain", "markers": [], "judges": {}, "cost_usd": 0.0,
        "error": 'line 5: "answer" has to be a string',
    }  # fmt: skip


def test_messages_stand_for_a_prompt() -> None:
    messages = [{"role": "user", "content": "first"}, {"role": "user", "content": [{"type": "text", "text": "second"}]}]
    found = parse_line(json.dumps({"id": 1, "messages": messages, "answer": "a"}).encode(), 1)
    assert isinstance(found, Pair)
    assert found.comparison.prompt == "second"


def test_judges_never_see_meta_or_the_label() -> None:
    found = parse_line(json.dumps(pair(1, right=True)).encode(), 1)
    assert isinstance(found, Pair)
    assert "tiny" not in repr(found.comparison)
    assert "small" not in repr(found.comparison)


def test_where_selects_by_dotted_keys_of_any_kind() -> None:
    record = {"a": "x", "meta": {"flag": True, "n": 3, "none": None}}
    assert matches(record, [("a", "x"), ("meta.flag", "true"), ("meta.n", "3"), ("meta.none", "null")])
    assert not matches(record, [("meta.flag", "false")])
    assert lookup(record, "meta.n.deeper") is None


def test_where_and_split_only_select(pairs: Path) -> None:
    small = json.loads(run(pairs, "--where", "meta.answer_model=small", "--json", *FAST).stdout)
    halves = [json.loads(run(pairs, "--split", side, "--json", *FAST).stdout)["selected"] for side in "ab"]
    assert small["selected"] == 60
    assert sum(halves) == 120
    assert min(halves) > 30


@given(st.text(alphabet=st.characters(codec=None)), st.integers())
def test_a_prompt_is_on_one_side_whatever_its_case_and_punctuation(prompt: str, seed: int) -> None:
    if prompt.isascii():
        assert side_of(prompt, seed=seed) == side_of(f"  {prompt.upper()}?!", seed=seed)
    assert side_of(prompt, seed=seed) in {"a", "b"}


def test_a_calibration_is_fitted_on_one_half_and_used_on_the_other(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", [pair(i, right=i % 3 > 0) for i in range(300)])
    fitted = run(path, "--split", "a", "--fit", tmp_path / "cal", *FAST)
    assert fitted.exit_code == 0
    assert "on the labels it was fitted on" in fitted.stdout
    used = json.loads(run(path, "--split", "b", "--calibration", tmp_path / "cal", "--json", *FAST).stdout)
    assert used["calibration"]["datasets"].keys() == {"made up"}
    assert used["overall"]["calibration_error"] < 0.05


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["."], "cannot be read"),
        ([Path(__file__), "--calibration", "nowhere"], "no such file; write one with"),
        ([Path(__file__), "--calibration", "a", "--fit", "b"], "exclude each other"),
        ([Path(__file__), "--where", "nonsense"], "is not key=value"),
        ([Path(__file__), "--panel", "astrology"], "unknown judge 'astrology'"),
        ([Path(__file__), "--panel", ","], "name at least one judge"),
        ([Path(__file__), "--out", "no/such/dir/out"], "cannot be written"),
    ],
)
def test_wrong_use_is_one_clear_line_and_exit_code_2(arguments: list[str | Path], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_too_few_labels_to_fit_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", [pair(i, right=True) for i in range(5)])
    result = run(path, "--fit", tmp_path / "cal", *FAST)
    assert result.exit_code == 2
    assert "5 labels of 1 kind" in result.stderr


def test_without_labels_there_are_verdicts_only(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", [pair(i, right=True, label=None) for i in range(3)])
    report = json.loads(run(path, "--json", *FAST).stdout)
    assert "auroc" not in report["overall"]
    assert sum(report["overall"]["verdicts"].values()) == 3
    assert "No labels" in run(path, *FAST).stdout


def test_an_empty_file_is_no_error(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", [])
    assert run(path, *FAST).exit_code == 0


def test_a_cut_off_archive_is_a_bad_line_after_the_good_ones(pairs: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(pairs.read_bytes()[:-200])
    result = run(cut, "--json", *FAST)
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert "damaged" in report["bad_lines"][-1]["reason"]
    assert report["selected"] > 0


@given(st.binary(max_size=100))
def test_any_bytes_are_a_pair_or_a_bad_line_with_a_reason(raw: bytes) -> None:
    found = parse_line(raw, 3)
    assert isinstance(found, Pair) or (isinstance(found, BadLine) and found.reason and found.line == 3)


def test_a_fit_says_what_it_certifies_and_a_plot_shows_how_true_it_is(tmp_path: Path) -> None:
    many = write(
        tmp_path / "many.jsonl", [pair(i, right=i % 3 > 0, query_type="qa" if i % 8 else "poem") for i in range(400)]
    )
    drawing = tmp_path / "reliability.svg"
    fitted = run(
        many,
        "--fit",
        tmp_path / "cal",
        "--target-agreement",
        "0.85",
        "--plot",
        drawing,
        "--split",
        "a",
        "--json",
        *FAST,
    )
    assert fitted.exit_code == 0, fitted.output
    report = json.loads(fitted.stdout)
    assert (report["certificate"]["target_agreement"], report["certificate"]["confidence"]) == (0.85, 0.9)
    cuts = {cut["query_type"]: cut for cut in report["certificate"]["stages"][0]["query_types"]}
    assert cuts["qa"]["bound"] >= 0.85
    assert cuts["qa"]["n"] <= cuts["qa"]["labels"] <= report["selected"]
    assert "poem" not in cuts  # too few for a certificate of its own
    by_type = {row["query_type"]: row for row in report["query_types"]}
    assert by_type["poem"]["borrowed"]
    assert by_type["qa"]["certified"] == by_type["qa"]["coverage"] * by_type["qa"]["n"]
    low, high = by_type["qa"]["agreement_interval"]
    assert low <= by_type["qa"]["agreement"] <= high
    assert sum(one["n"] for one in report["reliability"]["bins"]) == report["overall"]["n_labelled"]
    picture = ElementTree.parse(drawing).getroot()
    assert len(picture.findall(".//{*}circle")) == len(report["reliability"]["bins"])
    said = run(many, "--calibration", tmp_path / "cal", "--split", "b", *FAST).stdout
    assert "decided pairs agree with people in 85% or more, with confidence 90%" in said
    assert "poem: not calibrated on your traffic" in said
    strict = run(many, "--calibration", tmp_path / "cal", "--target-agreement", "0.95", "--json", *FAST)
    assert json.loads(strict.stdout)["certificate"] is None


def test_dearer_calls_that_were_spared_are_counted(tmp_path: Path) -> None:
    same = write(tmp_path / "same.jsonl", [pair(i, right=True, reference=f"{CITIES[i]}, I think.") for i in range(9)])
    report = json.loads(run(same, "--json").stdout)
    assert report["overall"]["verdicts"]["accept"] == 9
    assert report["overall"]["spared"] == {"semantic@3": 9}
    assert "semantic@3" not in report["overall"]["asked"]
    assert "Calls spared, as cheaper judges had decided: semantic@3 9 (asked 0)." in run(same).stdout
