"""Lines of a labels file: what is read, what is refused and why, and that a form shows neither tier nor model."""

from __future__ import annotations

import gzip
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow.errors import ConfigError
from shadow.json_lines import BadLine
from shadow.labels.file import LabelLine, form_lines, label_json, parse_line, read_labels
from shadow.store.labels import Label, WaitingSample

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SAMPLE = "01890a5d-ac96-774b-bcce-b302099a8057"
GOOD: dict[str, Any] = {
    "sample_id": SAMPLE,
    "which": "served",
    "label": 1,
    "reviewer": "mira",
    "labelled_at": "2026-04-30T10:00:00+02:00",
}


def parsed(**changes: Any) -> LabelLine | BadLine:
    """Line 7 of a file, the good line with changes; "absent" takes a key out."""
    content = {name: value for name, value in {**GOOD, **changes}.items() if value != "absent"}
    return parse_line(json.dumps(content).encode(), 7, reviewer=None, now=NOW)


def label_of(line: LabelLine | BadLine) -> Label | None:
    assert isinstance(line, LabelLine), line
    return line.label


def test_a_good_line_is_read_and_unknown_keys_are_ignored() -> None:
    assert label_of(parsed(comment="nice", prompt=["whatever"])) == Label(
        sample_id=SAMPLE,
        which="served",
        label=1,
        reviewer="mira",
        labelled_at=datetime(2026, 4, 30, 8, tzinfo=UTC),
    )


def test_who_and_when_come_from_outside_where_a_line_does_not_say() -> None:
    content = {"sample_id": SAMPLE, "which": "fast", "label": 0, "reviewer": None}
    found = label_of(parse_line(json.dumps(content).encode(), 1, reviewer="zoe", now=NOW))
    assert found is not None
    assert (found.reviewer, found.labelled_at) == ("zoe", NOW)


def test_a_line_that_names_its_reviewer_keeps_it() -> None:
    found = label_of(parse_line(json.dumps(GOOD).encode(), 1, reviewer="zoe", now=NOW))
    assert found is not None
    assert found.reviewer == "mira"


def test_a_line_that_nobody_has_filled_in_is_no_label_and_not_bad() -> None:
    assert label_of(parsed(label=None)) is None
    assert label_of(parsed(label="absent")) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sample_id": "absent"}, '"sample_id" has to be a string'),
        ({"sample_id": "7"}, '"sample_id" is no id of a sample'),
        ({"which": 3}, '"which" has to be a string'),
        ({"which": " "}, '"which" has to be a string'),
        ({"label": 2}, '"label" has to be 0, 1 or null'),
        ({"label": True}, '"label" has to be 0, 1 or null'),
        ({"label": "1"}, '"label" has to be 0, 1 or null'),
        ({"label": 0.5}, '"label" has to be 0, 1 or null'),
        ({"reviewer": None}, '"reviewer" is missing: put it into the line, or give --reviewer'),
        ({"reviewer": "a\u0000b"}, '"reviewer" holds a character that no name has'),
        ({"reviewer": "x" * 201}, '"reviewer" has to have 1 to 200 characters'),
        ({"labelled_at": "yesterday"}, '"labelled_at" has to be a time such as 2026-01-31T12:00:00Z'),
        ({"labelled_at": 17}, '"labelled_at" has to be a time such as 2026-01-31T12:00:00Z'),
        ({"labelled_at": "2026-04-30T10:00:00"}, '"labelled_at" needs a time zone, Z for example'),
        ({"labelled_at": "2026-05-02T10:00:00Z"}, '"labelled_at" lies in the future'),
    ],
)
def test_a_bad_line_has_its_number_and_its_reason(changes: dict[str, Any], reason: str) -> None:
    found = parsed(**changes)
    assert isinstance(found, BadLine)
    assert (found.line, found.reason) == (7, reason)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\n", "empty line"),
        (b"{", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"label": \xff}', "not UTF-8 at byte 10"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_line_that_is_no_json_object_is_bad(raw: bytes, reason: str) -> None:
    found = parse_line(raw, 3, reviewer=None, now=NOW)
    assert isinstance(found, BadLine)
    assert found.reason.startswith(reason)


@given(
    st.binary(max_size=200)
    | st.builds(
        lambda value: json.dumps(value).encode(),
        st.dictionaries(
            st.sampled_from(list(GOOD)), st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
        ),
    )
)
def test_no_line_breaks_the_reader(raw: bytes) -> None:
    assert isinstance(parse_line(raw, 1, reviewer=None, now=NOW), LabelLine | BadLine)


@given(
    which=st.sampled_from(["served", "reference", "fast"]),
    label=st.integers(0, 1),
    reviewer=st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=50),
    seconds=st.integers(0, 10**8),
)
def test_what_is_written_is_read_back(which: str, label: int, reviewer: str, seconds: int) -> None:
    given_label = Label(
        sample_id=SAMPLE, which=which, label=label, reviewer=reviewer, labelled_at=NOW - timedelta(seconds=seconds)
    )
    assert label_of(parse_line(label_json(given_label).encode(), 1, reviewer=None, now=NOW)) == given_label


@pytest.mark.parametrize("packed", [False, True])
def test_files_are_read_plain_and_compressed_whatever_their_name(tmp_path: Path, packed: bool) -> None:
    file = tmp_path / "labels"
    content = json.dumps(GOOD).encode() + b"\n\n" + json.dumps(GOOD).encode()
    file.write_bytes(gzip.compress(content) if packed else content)
    assert [type(line) for line in read_labels(file, reviewer=None, now=NOW)] == [LabelLine, BadLine, LabelLine]


def test_a_compressed_file_that_was_cut_says_so(tmp_path: Path) -> None:
    file = tmp_path / "labels.gz"
    file.write_bytes(gzip.compress(json.dumps(GOOD).encode() * 50)[:-20])
    (found,) = read_labels(file, reviewer=None, now=NOW)
    assert isinstance(found, BadLine)
    assert "damaged" in found.reason


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere: no such file"):
        list(read_labels(tmp_path / "nowhere", reviewer=None, now=NOW))


def waiting(sample_id: str = SAMPLE, prompt: str = "And in winter?") -> WaitingSample:
    messages = [{"role": "user", "content": "Is it warm there?"}, {"role": "user", "content": prompt}]
    return WaitingSample(
        sample_id=sample_id,
        prompt=prompt,
        request_body=json.dumps({"model": "pinned-model", "messages": messages}),
        answers=(("fast", "Yes."), ("frontier", "No, it freezes.")),
    )


def test_a_form_shows_the_question_and_every_answer_but_no_tier_and_no_model() -> None:
    lines = form_lines(waiting())
    assert {json.loads(line)["answer"] for line in lines} == {"Yes.", "No, it freezes."}
    for line in lines:
        assert json.loads(line)["prompt"] == "And in winter?"
        assert json.loads(line)["context"] == "Is it warm there?"
        for name in ("fast", "frontier", "served", "reference", "pinned-model"):
            assert name not in line


def test_the_order_in_a_form_says_nothing_about_the_tier() -> None:
    first = [json.loads(form_lines(waiting(str(uuid.UUID(int=i))))[0])["answer"] for i in range(200)]
    assert 70 < first.count("Yes.") < 130


def test_an_empty_form_line_is_read_as_not_labelled_yet() -> None:
    for line in form_lines(waiting()):
        assert label_of(parse_line(line.encode(), 1, reviewer="zoe", now=NOW)) is None


def test_a_sample_without_its_texts_is_not_put_before_a_reviewer() -> None:
    assert form_lines(waiting(prompt="")) == []
