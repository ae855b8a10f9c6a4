"""Where does a demo keep its files? A new directory for each run; those of the last few runs stay for a look back."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from shadow.errors import DataDirectoryError

KEPT_RUNS = 3
_MARK = ".demo-run"


def fresh_directory(parent: Path) -> Path:
    """A new, empty directory below `parent`. Removes the oldest runs, and only what an earlier call has made.

    Raises: DataDirectoryError.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        runs = sorted(path.parent for path in parent.glob(f"*/{_MARK}"))
        for old in runs[: max(len(runs) - KEPT_RUNS + 1, 0)]:
            shutil.rmtree(old, ignore_errors=True)
        directory = parent.absolute() / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
        number = 1
        while directory.exists():
            number += 1
            directory = directory.with_name(f"{directory.name.partition('_')[0]}_{number}")
        directory.mkdir()
        (directory / _MARK).touch()
        (directory / "logs").mkdir()
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise DataDirectoryError(f"cannot use {parent} ({reason}): choose another directory with --directory") from exc
    return directory
