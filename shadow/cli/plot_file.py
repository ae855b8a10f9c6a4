"""Where is a plot written, and as what? An SVG as it is drawn, or a PNG made of it, by the file's ending."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

_ZOOM = 2.0  # of a PNG: plots are drawn at 640 to 760 pixels, which is little for a slide
_BLANK = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">{}</svg>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A file that waits for its plot."""

    _file: IO[bytes]
    _is_png: bool

    def write(self, svg: str) -> None:
        """Raises: ValueError for what is no SVG."""
        self._file.write(_png(svg) if self._is_png else svg.encode())


def open_drawing(path: Path | None, stack: ExitStack) -> Drawing | None:
    """The file, opened before any work is done for it; None where none is wanted.

    Raises: click.UsageError for another ending than .svg and .png, a path that is not writable, a PNG where no font is installed.
    """
    if path is None:
        return None
    ending = path.suffix.lower()
    if ending not in {".svg", ".png"}:
        raise click.UsageError(f"--plot {path}: the name has to end in .svg or .png")
    if ending == ".png" and not _has_font():
        raise click.UsageError(
            f"--plot {path}: no font is installed here, and a PNG would have no text; install one (Debian: fonts-dejavu-core)"
            " or name a file that ends in .svg"
        )
    try:
        return Drawing(_file=stack.enter_context(path.open("wb")), _is_png=ending == ".png")
    except OSError as exc:
        raise click.UsageError(f"{path}: cannot be written: {exc.strerror or exc}") from exc


def _png(svg: str, zoom: float = _ZOOM) -> bytes:
    import resvg_py

    return resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom)


def _has_font() -> bool:
    """Without a font letters are left out without a word, so a letter is held against nothing."""
    letter = _BLANK.format('<text x="5" y="15" font-family="sans-serif" font-size="15">A</text>')
    return _png(letter, 1.0) != _png(_BLANK.format(""), 1.0)
