"""Where is the embedded PostgreSQL's socket, and what URL leads to it?

The kernel allows 107 bytes for a socket's path, and libpq and the server both split lists of them at commas. A data
directory whose path is too long or too odd gets its socket in a short directory of its own under the temporary one.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

from shadow.errors import StoreError
from shadow.store.pg_account import PgAccount

PORT = "5432"
_LONGEST_BYTES = 107
_PLAIN = re.compile(r"[A-Za-z0-9_./+-]+")


def choose_socket_dir(home: Path, account: PgAccount) -> Path:
    """The directory for the socket of the server in `home`, made and owned by the account.

    Raises: StoreError when the temporary directory already has something in that place that is not ours.
    """
    if _fits(home):
        return home
    name = (
        f"shadowtier-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"  # the same after a crash: nothing piles up
    )
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - made 0700, and its owner is checked below
        if _fits(parent / name):
            return _private_directory(parent / name, account)
    raise StoreError(f"no directory short enough for a socket: shorten data_dir ({home}) or TMPDIR")


def socket_url(socket_dir: Path) -> str:
    """The SQLAlchemy URL for the server behind this socket directory. The port is named so that PGPORT has no say."""
    return f"postgresql+psycopg://postgres@/postgres?host={quote(str(socket_dir), safe='/')}&port={PORT}"


def _fits(directory: Path) -> bool:
    socket_path = os.fsencode(directory / f".s.PGSQL.{PORT}")
    return len(socket_path) <= _LONGEST_BYTES and _PLAIN.fullmatch(str(directory)) is not None


def _private_directory(path: Path, account: PgAccount) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), account.uid}:
        raise StoreError(f"{path} belongs to somebody else: remove it, or use a shorter data_dir")
    account.take_over(path)
    path.chmod(0o700)
    return path
