"""Does the machine play along: the data directory, the ports, and the spool between router and store?"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from router.serve import spool_directory
from shadow.doctor.findings import Finding, bad, ok, warn
from shadow.doctor.processes import Running
from shadow.intake.segments import REJECTED, backlog
from shadow.preflight import port_problem, ports_of
from shadow.settings import Settings

LITTLE_SPACE_BYTES = 1_000_000_000
NO_SPACE_BYTES = 100_000_000


def data_directory(settings: Settings) -> list[Finding]:
    """Whether we can write there, and how much. Leaves nothing behind, not even the directory."""
    directory, name = settings.directory, "data directory"
    there = next(path for path in (directory, *directory.parents) if path.exists())
    try:
        with tempfile.TemporaryDirectory(dir=there) as inside:
            (Path(inside) / "probe").write_bytes(b"x")
    except OSError as exc:
        why = (exc.strerror or str(exc)).lower()
        remedy = "set data_dir to a directory that you may write to"
        return [bad(name, f"{directory} cannot be used: {there} {_says(why)}", remedy)]
    free = shutil.disk_usage(there).free
    detail = f"{directory} is {'' if there == directory else 'not there yet; it can be made and is '}writable, {size(free)} free"
    remedy = "make room, or set data_dir to a larger disk: without room exchanges are lost"
    if free < NO_SPACE_BYTES:
        return [bad(name, detail, remedy)]
    return [warn(name, detail, remedy) if free < LITTLE_SPACE_BYTES else ok(name, detail)]


def _says(why: str) -> str:
    return "is not a directory" if why == "not a directory" else f"cannot be written ({why})"


def ports(settings: Settings, running: Sequence[Running]) -> list[Finding]:
    """Whether each port is free or held by the role that it is for."""
    server, found = settings.server, []
    if server.port == server.control_port:
        detail = f"server.port and server.control_port are both {server.port}"
        return [bad("ports", detail, "choose another one for one of them")]
    for role, (key, port) in ports_of(settings).items():
        problem = port_problem(server.host, port)
        holder = next((r for r in running if r.role == role and r.listens_on(port)), None)
        if problem is None:
            found.append(ok(key, f"{server.host}:{port} is free"))
        elif holder is not None:
            found.append(ok(key, f"{server.host}:{port} is held by our {role} (process {holder.process.pid})"))
        else:
            remedy = f"stop what listens there, or set {key} to another port"
            found.append(bad(key, f"{server.host}:{port} {problem}", remedy))
    return found


def spool(settings: Settings, running: Sequence[Running]) -> list[Finding]:
    """What the router has written and the store does not have yet."""
    directory, found = spool_directory(settings.directory), []
    segments, held = backlog(directory)
    waiting = f"{segments} {'segment' if segments == 1 else 'segments'}, {size(held)} waiting for the store"
    if segments == 0:
        found.append(ok("spool", "empty"))
    elif any(r.role == "intake" for r in running):
        found.append(ok("spool", waiting))
    else:
        found.append(
            warn("spool", f"{waiting}, and no intake runs here", "start `shadow up`: nothing is lost, it ships them")
        )
    rejected = directory / REJECTED
    if rejected.exists():
        with rejected.open("rb") as lines:
            number = sum(1 for _ in lines)
        detail = f"{number} exchanges could not be stored and are kept in {rejected}"
        found.append(warn("spool rejects", detail, "look at them, then move the file away"))
    return found


def size(number_of_bytes: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(number_of_bytes) < 1000:
            return f"{number_of_bytes:.0f} {unit}"
        number_of_bytes /= 1000
    return f"{number_of_bytes:,.1f} TB"
