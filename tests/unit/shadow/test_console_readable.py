"""Text that anybody may have written: nothing is lost or hidden, and a huge one is folded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shadow.console.readable import MARKS, Stretch, readable


def test_what_cannot_be_seen_is_written_out() -> None:
    found = readable("abc\u202edef\x00\x00\r\nend\u200b")
    assert found.head == [
        Stretch(text="abc"),
        Stretch(text="U+202E", hidden="right-to-left override"),
        Stretch(text="def"),
        Stretch(text="U+0000\u00d72", hidden="control character"),
        Stretch(text="\nend"),
        Stretch(text="U+200B", hidden="zero width space"),
    ]
    assert (found.rest, found.folded) == ([], 0)


def test_a_huge_text_is_folded_and_a_flood_of_marks_is_cut() -> None:
    found = readable("x" * 200_000)
    assert (len(found.head[0].text), found.folded, len(found.rest[0].text)) == (4_000, 196_000, 196_000)
    flood = readable("\u202e\u202d" * 100_000)
    assert len(flood.rest) == MARKS + 1
    assert "\u202e" not in flood.rest[-1].text


@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"], exclude_characters="\U000e0000"), max_size=60
    ),
    st.integers(1, 40),
)
def test_plain_text_comes_out_whole(text: str, fold: int) -> None:
    found = readable(text, fold=fold)
    assert "".join(part.text for part in [*found.head, *found.rest]) == text
