"""What did the user of this session ask last, and does the present message say that the answer was not good enough?

The turn before stands in the conversation itself; where clients send only the newest message but name their session, the last
one is remembered for a while. That is bounded, in this process only, and holds stems of words, not text.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from router.contracts import Features, Hints
from router.features import message_text
from router.sessions.frustration import is_frustrated
from router.sessions.wording import Wording, likeness, wording_of

SignalKind = Literal["rephrased", "frustrated"]
#: A session whose separate requests are alike more often than that is a program filling in a form, not a user asking again.
MOST_REPHRASED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """about_request_id: the request whose answer it is about; None where that is not known."""

    kind: SignalKind
    about_request_id: str | None

    def noted(self) -> dict[str, str]:
        """What the record says of it."""
        about = {"about_request_id": self.about_request_id} if self.about_request_id else {}
        return {"session_signal": self.kind, **about}


@dataclass(slots=True, kw_only=True)
class _Last:
    """The last request of a session. rephrased: how many of its separate requests looked like the one before."""

    request_id: str
    wording: Wording
    text_hash: int
    at: float
    rephrased: int = 0


class Sessions:
    """Reads signals. `clock` is monotonic, in seconds."""

    def __init__(self, *, likeness: float, seconds: float, capacity: int, clock: Callable[[], float]) -> None:
        self._likeness = likeness
        self._seconds = seconds
        self._capacity = capacity
        self._clock = clock
        self._last: OrderedDict[tuple[str | None, str | None, str], _Last] = OrderedDict()

    def __len__(self) -> int:
        return len(self._last)

    def read(
        self, fields: Mapping[str, Any], features: Features, hints: Hints, *, request_id: str, key_id: str | None
    ) -> Signal | None:
        """The signal of this request, which is remembered. Cost: nothing for a single turn without a session."""
        if features.turns < 2 and hints.session is None:
            return None
        messages = fields.get("messages") or ()
        # After a tool's result the last user message is old: the user has said nothing new.
        if not messages or not _is_from(messages[-1], "user"):
            return None
        wording = wording_of(features.text)
        before = _turn_before(messages) if features.turns > 1 else None
        last = self._remembered(key_id, hints)
        kind = self._kind(features.text, wording, before, last)
        about = last.request_id if last is not None else None
        if hints.session is not None and self._capacity:
            self._last[key_id, hints.user, hints.session] = _Last(
                request_id=request_id,
                wording=wording,
                text_hash=hash(features.text),
                at=self._clock(),
                rephrased=last.rephrased if last is not None else 0,
            )
            self._last.move_to_end((key_id, hints.user, hints.session))
            if len(self._last) > self._capacity:
                self._last.popitem(last=False)
        return Signal(kind=kind, about_request_id=about) if kind is not None else None

    def _kind(self, text: str, wording: Wording, before: str | None, last: _Last | None) -> SignalKind | None:
        if before is None and last is None:
            return None
        if is_frustrated(text):
            return "frustrated"
        if before is not None:
            return "rephrased" if likeness(wording, wording_of(before)) >= self._likeness else None
        assert last is not None
        if last.text_hash == hash(text):  # a client that tries again, not a user
            return None
        if likeness(wording, last.wording) < self._likeness:
            return None
        last.rephrased += 1
        return "rephrased" if last.rephrased <= MOST_REPHRASED else None

    def _remembered(self, key_id: str | None, hints: Hints) -> _Last | None:
        if hints.session is None:
            return None
        last = self._last.get((key_id, hints.user, hints.session))
        return last if last is not None and self._clock() - last.at <= self._seconds else None


def _turn_before(messages: Sequence[Any]) -> str | None:
    """The text of the user's turn before the last, if there was an answer in between."""
    answered = False
    for message in reversed(messages[:-1]):
        if _is_from(message, "assistant"):
            answered = True
        elif answered and _is_from(message, "user"):
            return message_text(message)
    return None


def _is_from(message: object, role: str) -> bool:
    return isinstance(message, Mapping) and message.get("role") == role
