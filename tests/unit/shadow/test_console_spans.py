"""The console marks what the judges point at, and never loses or adds a character of a completion."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shadow.console.spans import Piece, pieces


def marker(text: str, start: int, end: int, kind: str = "hedge") -> dict[str, Any]:
    return {"kind": kind, "start": start, "end": end, "text": text[start:end], "weight": 1.0}


def test_a_marker_cuts_the_text_around_it() -> None:
    text = "paid 410.00 today"
    assert pieces(text, [marker(text, 5, 11, "unsupported_number")]) == [
        Piece(text="paid ", kinds=()),
        Piece(text="410.00", kinds=("unsupported_number",)),
        Piece(text=" today", kinds=()),
    ]


def test_overlapping_markers_share_what_is_common() -> None:
    text = "abcdef"
    found = pieces(text, [marker(text, 0, 4, "hedge"), marker(text, 2, 6, "repetition")])
    assert [(piece.text, piece.kinds) for piece in found] == [
        ("ab", ("hedge",)),
        ("cd", ("hedge", "repetition")),
        ("ef", ("repetition",)),
    ]


def test_a_marker_of_a_text_that_was_redacted_since_marks_nothing() -> None:
    found = pieces("[redacted] today", [{"kind": "hedge", "start": 0, "end": 4, "text": "paid", "weight": 1.0}])
    assert found == [Piece(text="[redacted] today", kinds=())]


def test_a_marker_beyond_the_text_marks_nothing() -> None:
    assert pieces("ab", [{"kind": "hedge", "start": 1, "end": 9, "text": "b", "weight": 1.0}]) == [
        Piece(text="ab", kinds=())
    ]


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(-3, 70), st.integers(-3, 70)), max_size=6))
def test_the_pieces_are_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    found = pieces(text, [marker(text, start, end) for start, end in spans])
    assert "".join(piece.text for piece in found) == text
    marked = {i for start, end in spans if 0 <= start < end <= len(text) for i in range(start, end)}
    place = 0
    for piece in found:
        for i in range(place, place + len(piece.text)):
            assert bool(piece.kinds) == (i in marked)
        place += len(piece.text)
