"""How often was a wrong token shown from an address lately, and does it have to wait? In the memory of one process."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=15)
#: Addresses that are remembered, and failures written down per window: more only fills memory and the audit.
_ADDRESSES, _NOTED = 10_000, 200


class FailedLogins:
    """Failures by address."""

    def __init__(self, limit: int) -> None:
        """limit: failures within 15 minutes after which an address has to wait."""
        self._limit = limit
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._noted: deque[datetime] = deque()

    def wait_seconds(self, address: str, now: datetime) -> int:
        """How long the address has to wait; 0 where it may try."""
        failures = self._recent(address, now)
        if len(failures) < self._limit:
            return 0
        return max(1, round((failures[0] + WINDOW - now).total_seconds()))

    def failed(self, address: str, now: datetime) -> bool:
        """Count a failure; True where it is worth a row in the audit."""
        failures = self._recent(address, now)
        failures.append(now)
        self._failures[address] = failures
        self._failures.move_to_end(address)
        if len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)
        while self._noted and now - self._noted[0] >= WINDOW:
            self._noted.popleft()
        if len(failures) > self._limit or len(self._noted) >= _NOTED:
            return False
        self._noted.append(now)
        return True

    def _recent(self, address: str, now: datetime) -> deque[datetime]:
        failures = self._failures.get(address, deque(maxlen=self._limit + 1))
        while failures and now - failures[0] >= WINDOW:
            failures.popleft()
        return failures
