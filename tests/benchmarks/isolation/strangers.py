"""Who else used the processor? A run that strangers disturbed says little about us, whatever it shows."""

from __future__ import annotations

import contextlib

import psutil


class Strangers:
    """Processor time that neither we nor our descendants used, since it was made."""

    def __init__(self) -> None:
        self._busy, self._ours = _busy_seconds(), _our_seconds()

    def seconds(self) -> float:
        return max(_busy_seconds() - self._busy - (_our_seconds() - self._ours), 0.0)


def _busy_seconds() -> float:
    """All cores, since the machine started. Time stolen by other machines counts: it is lost all the same."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + getattr(times, "steal", 0.0))


def _our_seconds() -> float:
    """This process, those below it, and those of them that have ended: an ended one is counted with who waited for it."""
    me = psutil.Process()
    total = 0.0
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total
