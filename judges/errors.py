"""What can go wrong in a judge? One tree; a foreign error is translated once, where it is caught.

JudgeError
├── JudgeUnavailable      the judge itself failed (not installed, not reachable, refused): an abstention, never a grade
├── UnknownJudge          a panel was asked for by a name that nobody has
├── BadCalibration        a calibration file is missing, unreadable or of another version
└── NotEnoughLabels       a calibration cannot be fitted on what was given
"""

from __future__ import annotations


class JudgeError(Exception):
    """Root of everything that this package raises on purpose."""


class JudgeUnavailable(JudgeError):  # noqa: N818
    """The judge could not do its work at all. Says nothing about the answer."""


class UnknownJudge(JudgeError):  # noqa: N818
    """No judge has this name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"unknown judge {name!r}; known are {', '.join(known)}")
        self.name = name


class BadCalibration(JudgeError):  # noqa: N818
    """A calibration file cannot be used; the message names the file and the reason."""


class NotEnoughLabels(JudgeError):  # noqa: N818
    """Too few labelled pairs, or only one kind of label."""
