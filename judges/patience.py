"""Is this model worth asking at all now? One that failed several times in a row is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Failed attempts in a row after which a model is left alone; seconds of the first pause, which doubles; the longest one.
FAILURES = 5
FIRST_SECONDS = 5.0
LONGEST_SECONDS = 300.0


class Patience:
    """Counts failures of one model. When a pause is over one caller tries; the others wait for what becomes of that."""

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        first_seconds: float = FIRST_SECONDS,
        longest_seconds: float = LONGEST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed = failures
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._clock = clock
        self._failed = 0
        self._pause_seconds = 0.0
        self._until = 0.0
        self._trying = False

    def wait_seconds(self) -> float:
        """0 where the caller may ask now; else for how long nobody may. A caller that may ask after a pause goes alone."""
        if not self._pause_seconds:
            return 0.0
        left = self._until - self._clock()
        if left <= 0:
            self._until, self._trying = self._clock() + self._pause_seconds, True
            return 0.0
        return left

    @property
    def resting(self) -> bool:
        """Whether a pause is in force, the turn of the one who tries included."""
        return self._pause_seconds > 0

    def succeeded(self) -> None:
        """The model answered: all is forgiven."""
        self._failed, self._pause_seconds, self._trying = 0, 0.0, False

    def failed(self, *, wait_seconds: float = 0.0) -> None:
        """One attempt failed. wait_seconds: as the provider asked for; a long wait is a pause at once, up to the longest.

        Calls that were under way when a pause began and fail in it do not make it longer.
        """
        self._failed += 1
        pause = min(wait_seconds, self._longest_seconds)
        if self._failed >= self._allowed and (self._trying or not self._pause_seconds):
            longer = max(self._pause_seconds * 2, self._first_seconds)
            pause, self._trying = max(pause, min(longer, self._longest_seconds)), False
        if pause > 0:
            self._pause_seconds = max(pause, self._pause_seconds)
            self._until = max(self._until, self._clock() + pause)
