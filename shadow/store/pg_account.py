"""As which user does the embedded PostgreSQL run?

A normal user runs it under his own name. PostgreSQL refuses uid 0, so root drops to an ordinary account that can read
the binaries and reach the data directory; where no such account can (a directory or a virtual environment below /root,
say), the server runs in a user namespace in which root is called nobody and keeps root's own access to files.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shadow.errors import DataDirectoryError, StoreError
from shadow.store.pg_binaries import PgBinaries

_NOBODY = 65534
_PREFERRED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class PgAccount:
    """Who owns the cluster's files (uid, gid), whether to change to that user, and what goes before the command."""

    uid: int
    gid: int
    drops: bool = False
    prefix: tuple[str, ...] = ()

    def take_over(self, path: Path) -> None:
        """Make a file, or a directory with all in it, ours. Costs one stat when it already is."""
        if path.lstat().st_uid == self.uid:
            return
        for folder, names, files in os.walk(path):
            for name in (*names, *files):
                os.chown(Path(folder) / name, self.uid, self.gid, follow_symlinks=False)
        os.chown(path, self.uid, self.gid, follow_symlinks=False)  # last: a walk cut short is repeated


def choose_account(binaries: PgBinaries, directory: Path) -> PgAccount:
    """The account for a cluster in an existing directory.

    Raises: DataDirectoryError when a normal user is given somebody else's directory. StoreError when root finds no
    account that works.
    """
    uid = os.geteuid()
    if uid != 0:
        owner = directory.stat().st_uid
        if owner != uid:
            raise DataDirectoryError(
                f"{directory} belongs to {_name(owner)}, you are {_name(uid)}: run as its owner or change data_dir"
            )
        return PgAccount(uid=uid, gid=os.getegid())
    for entry in _ordinary_users(directory):
        if _works((), entry, binaries, directory):
            return PgAccount(uid=entry.pw_uid, gid=entry.pw_gid, drops=True)
    unshare = shutil.which("unshare")
    if unshare:
        prefix = (unshare, "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--")
        if _works(prefix, None, binaries, directory):
            return PgAccount(uid=0, gid=0, prefix=prefix)
    raise StoreError(
        f"PostgreSQL does not run as root, and no other user can reach both {binaries.bin_dir} and {directory}:"
        " run as a normal user, or choose a data_dir and an installation outside closed directories such as /root"
    )


def _ordinary_users(directory: Path) -> Iterator[pwd.struct_passwd]:
    """Accounts to try, best first: who owns the data already, who owns the place it is in, then the usual ones."""
    seen = {0}
    owners = (directory.stat().st_uid, directory.parent.stat().st_uid)
    for who in (*owners, *_PREFERRED):
        try:
            entry = pwd.getpwuid(who) if isinstance(who, int) else pwd.getpwnam(who)
        except KeyError:
            continue
        if entry.pw_uid not in seen:
            seen.add(entry.pw_uid)
            yield entry


def _works(prefix: tuple[str, ...], user: pwd.struct_passwd | None, binaries: PgBinaries, directory: Path) -> bool:
    """Try it: reach the directory's parent, load the server with its libraries."""
    probe = 'test -x "$1" && "$2" --version && "$3" --version'
    command = [*prefix, "/bin/sh", "-c", probe, "sh", str(directory.parent), binaries.postgres, binaries.initdb]
    try:
        done = subprocess.run(  # noqa: S603
            command,
            cwd="/",
            capture_output=True,
            timeout=30,
            check=False,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
