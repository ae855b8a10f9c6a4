"""How much memory does each role take? Measured on what runs; else on a fresh interpreter that imports what the role imports."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import psutil

from shadow.doctor.findings import Finding, bad, ok, warn
from shadow.doctor.machine import size
from shadow.doctor.processes import ROLES, Running

#: What no process that serves clients may load.
HEAVY = ("torch", "sentence_transformers")
#: The embedding model at work, in a process of its own: what a worker grows to with the first answer it judges.
JUDGE = "embedding model"
_PROBE_SECONDS = 180.0
_PROBE = """
import json, sys
what = sys.argv[1]
if what == "router":
    import shadow.role, router.serve
elif what == "embedding model":
    from judges.embedding import SentenceTransformersEmbedder
    SentenceTransformersEmbedder().encode(["does it work?"])
else:
    import shadow.role
    shadow.role.runner_of(what)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleMemory:
    """What one process holds. uss: what would be free if it ended, None where the system does not say. loaded: of HEAVY."""

    role: str
    measured: Literal["running", "imports"]
    pid: int | None
    rss_bytes: int
    uss_bytes: int | None
    loaded: tuple[str, ...]


async def memory(running: Sequence[Running]) -> list[RoleMemory]:
    """Of the roles that run here; where none does, of what each imports. Cost: 3 s in the latter case."""
    if running:
        order = ("supervisor", *ROLES)
        found = [figure for process in running if (figure := _of_running(process)) is not None]
        return sorted(found, key=lambda figure: order.index(figure.role))
    figures = []
    for role in ROLES:  # one after the other: a doctor leaves a processor to client traffic
        figures.append(await probe(role))  # noqa: PERF401 - awaited one by one on purpose
    return figures


def findings(figures: Sequence[RoleMemory]) -> list[Finding]:
    """The figures in words; a router that loads a model is a fault."""
    return [_finding(figure) for figure in figures]


def _finding(figure: RoleMemory) -> Finding:
    name = f"memory {figure.role}"
    own = f", {size(figure.uss_bytes)} of it its own" if figure.uss_bytes is not None else ""
    how = f"process {figure.pid}" if figure.measured == "running" else "does not run: its imports alone"
    detail = f"{size(figure.rss_bytes)}{own} ({how})"
    if figure.role != "router":
        return ok(name, detail)
    if figure.loaded:
        remedy = "the router must stay small; find out what imports it"
        return bad(name, f"{detail}; has loaded {' and '.join(figure.loaded)}", remedy)
    return ok(name, f"{detail}; neither torch nor sentence_transformers is loaded")


async def judge_at_work() -> list[Finding]:
    """Let the embedding model encode a text in a process of its own. Cost: 7 s and 450 MB for a moment."""
    try:
        figure = await probe(JUDGE)
    except ProbeFailed as exc:
        return [bad(JUDGE, f"installed, but does not work: {exc}", "install the extra `judges` again")]
    detail = f"encodes; takes {size(figure.rss_bytes)} in a process of its own, a worker loads it with the first answer"
    room = psutil.virtual_memory().available
    if room < figure.rss_bytes:
        remedy = "make room, or take `semantic` out of judges.panel"
        return [warn(JUDGE, f"{detail}, but only {size(room)} is free", remedy)]
    return [ok(JUDGE, detail)]


class ProbeFailed(Exception):  # noqa: N818 - it says what happened
    """A fresh interpreter could not do what was asked of it; the message is its last word."""


async def probe(what: str) -> RoleMemory:
    """Measure a fresh interpreter that has imported what this role imports. Raises: ProbeFailed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROBE,
        what,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
        limit=1024 * 1024,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            line = await process.stdout.readline()
            if not line:
                _, said = await process.communicate()
                words = said.decode(errors="replace").strip().splitlines()
                raise ProbeFailed(words[-1][:300] if words else f"exit code {process.returncode}")
            rss_bytes, uss_bytes = _sizes(psutil.Process(process.pid))
    except TimeoutError:
        raise ProbeFailed(f"not done within {_PROBE_SECONDS:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()  # it has nothing to put away
            await process.communicate()
    modules = set(json.loads(line))
    return RoleMemory(
        role=what,
        measured="imports",
        pid=None,
        rss_bytes=rss_bytes,
        uss_bytes=uss_bytes,
        loaded=tuple(name for name in HEAVY if name in modules),
    )


def _of_running(running: Running) -> RoleMemory | None:
    """None if it ended while we looked."""
    process = running.process
    try:
        rss_bytes, uss_bytes = _sizes(process)
        files = [entry.path for entry in process.memory_maps()]
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        files = []
    # sentence_transformers cannot be loaded without torch, and torch leaves its libraries in the map.
    loaded = ("torch",) if any("/torch/" in path for path in files) else ()
    return RoleMemory(
        role=running.role,
        measured="running",
        pid=process.pid,
        rss_bytes=rss_bytes,
        uss_bytes=uss_bytes,
        loaded=loaded,
    )


def _sizes(process: psutil.Process) -> tuple[int, int | None]:
    try:
        full = process.memory_full_info()
    except psutil.AccessDenied:
        return process.memory_info().rss, None
    return full.rss, full.uss
