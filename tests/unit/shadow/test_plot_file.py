"""Is a plot written as what its name says, and is wrong use told before any work is done?"""

from contextlib import ExitStack
from struct import unpack

import click
import pytest

from shadow.cli import plot_file
from shadow.cli.plot_file import open_drawing

RED = '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30"><rect width="60" height="30" fill="#f00"/></svg>'


@pytest.mark.parametrize("name", ["plot.svg", "plot.PNG"])
def test_a_plot_is_written_as_its_name_says(tmp_path, name):
    with ExitStack() as stack:
        drawing = open_drawing(tmp_path / name, stack)
        assert drawing is not None
        drawing.write(RED)
    found = (tmp_path / name).read_bytes()
    if name.endswith("svg"):
        assert found.decode() == RED
    else:
        assert found.startswith(b"\x89PNG\r\n")
        assert unpack(">II", found[16:24]) == (120, 60)


@pytest.mark.parametrize(
    ("name", "fonts", "said"),
    [
        ("plot.jpg", True, r"the name has to end in \.svg or \.png"),
        ("missing/plot.svg", True, "cannot be written: No such file"),
        ("plot.png", False, "no font is installed here"),
    ],
)
def test_wrong_use_is_told_at_once(tmp_path, monkeypatch, name, fonts, said):
    monkeypatch.setattr(plot_file, "_has_font", lambda: fonts)
    with ExitStack() as stack, pytest.raises(click.UsageError, match=said):
        open_drawing(tmp_path / name, stack)
    assert not list(tmp_path.iterdir())
