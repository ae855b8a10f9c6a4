"""Does a process give way to clients as far as the system lets it?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_SHOW = (
    "import os; from shadow.process import yield_to_clients as y; y({}); print(os.sched_getscheduler(0), os.nice(0))"
)
_AUTOGROUP = Path("/proc/self/autogroup")


def said(arguments: str, *, before: str = "", then: str = "", session: bool = False) -> str:
    code = before + _SHOW.format(arguments) + then
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, start_new_session=session
    )
    return done.stdout.strip()


def test_work_that_can_wait_runs_while_nobody_else_wants_the_processor() -> None:
    assert said("19, idle=True") == f"{os.SCHED_IDLE} 19"


def test_work_that_has_to_go_on_is_nice_and_interrupts_nobody() -> None:
    assert said("5") == f"{os.SCHED_BATCH} {max(5, os.nice(0))}"


def test_who_is_nicer_already_stays_so() -> None:
    assert said("5", before="import os; os.setpriority(os.PRIO_PROCESS, 0, 17); ") == f"{os.SCHED_BATCH} 17"


def test_a_session_of_its_own_is_as_nice_as_the_process() -> None:
    """Where the kernel shares the processor between sessions, which not every one does."""
    show = (
        "; from pathlib import Path; print([p.read_text().split()[-1] for p in Path('/proc/self').glob('autogroup')])"
    )
    expected = ["19"] if _AUTOGROUP.exists() else []
    assert said("19", then=show, session=True).splitlines()[-1] == str(expected)
