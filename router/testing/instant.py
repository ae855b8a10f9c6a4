"""How does a test wait for minutes without waiting?

An event loop whose clock jumps to the next timer whenever there is nothing to do. What depends on time runs in full, in order and
at once; a test that waits for something that never comes fails instead of hanging.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting it moves the clock on."""

    now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("everybody waits for something that never comes")
        self.now += max(0.0, timeout)
        return []


class InstantLoop(asyncio.SelectorEventLoop):
    """An event loop without waiting. Nothing outside of it (a thread, a socket) can be waited for."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_instantly(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a test's coroutine in such a loop. Its clock is `asyncio.get_running_loop().time`."""
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        return runner.run(main())
