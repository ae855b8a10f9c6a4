"""How does a stream reach the client without ever lying about its end?

A `Relay` reads the provider's events, forwards their bytes as they came, and gathers on the side what was said. The client
sees the end (`[DONE]`, say) only if the provider sent it, or ended a well-formed stream after the model's own finish reason;
every other end is an `UpstreamFailed`, which becomes an in-band error event. The last bytes are kept back in `final`, so that
the exchange can be recorded before they leave. A usage chunk that the router asked for and the client did not is taken out.
"""

from __future__ import annotations

from collections.abc import Callable

from router.answers import Answer
from router.dialects.contracts import Dialect
from router.errors import UpstreamFailed
from router.pool import Target
from router.sse import EventSplitter
from router.upstream import Reply


class Relay:
    """One streamed answer on its way from a provider to the client.

    After `open`, the first events have been read and the answer has begun. `next_piece` then gives what is to be forwarded;
    after None the stream was complete, and `final` holds its last bytes.
    """

    def __init__(
        self,
        target: Target,
        reply: Reply,
        *,
        dialect: Dialect,
        usage_wanted: bool,
        clock: Callable[[], float],
        clock_sent: float,
    ) -> None:
        self.target = target
        self.final = b""
        self.clock_sent = clock_sent
        self.clock_first_event: float | None = None
        self._reply = reply
        self._dialect = dialect
        self._clock = clock
        self._splitter = EventSplitter()
        self._reader = dialect.reader(usage_wanted=usage_wanted)
        self._waiting: list[bytes] = []
        self._said = True  # something other than comments since the last wait
        self._clock_quiet = clock_sent
        self._failure: UpstreamFailed | None = None

    @property
    def reply(self) -> Reply:
        return self._reply

    @property
    def request_id(self) -> str | None:
        return self._reply.request_id

    async def open(self, within_seconds: float) -> None:
        """Read up to the first event that carries anything. Raises: UpstreamFailed; until here others may take over."""
        until = self._clock() + within_seconds
        while self.clock_first_event is None:
            left = until - self._clock()
            if left <= 0:
                raise UpstreamFailed("first_token", f"no event within {within_seconds:g} s", http_status=200)
            try:
                chunk = await self._reply.chunk(left)
            except UpstreamFailed as failure:
                if failure.kind == "idle":
                    raise UpstreamFailed("first_token", failure.detail, http_status=200) from failure
                raise
            self._waiting.append(self._take(chunk))
            if self._failure is not None and self.clock_first_event is None:
                raise self._failure

    async def next_piece(self) -> bytes | None:
        """Bytes to forward (whole events), None behind the end. Raises: UpstreamFailed for any other end."""
        while True:
            piece = b"".join(self._waiting)
            self._waiting.clear()
            if self._reader.done:
                self.final = piece
                return None
            if piece:
                return piece
            if self._failure is not None:
                raise self._failure
            self._waiting.append(self._take(await self._reply.chunk(self._patience_seconds())))

    def answer(self) -> Answer:
        """What has been said so far."""
        return self._reader.answer()

    async def drain(self, within_seconds: float = 1.0) -> None:
        """Read the few bytes behind `[DONE]`, so that the connection can be used again."""
        try:
            while await self._reply.chunk(within_seconds):
                pass
        except UpstreamFailed:
            self._reply.close()

    def close(self) -> None:
        self._reply.close()

    def _patience_seconds(self) -> float:
        """How long to wait for more. Keep-alive comments do not count: a stalled model can be behind them."""
        now = self._clock()
        if self._said:
            self._said = False
            self._clock_quiet = now
        left = self.target.timeout_seconds - (now - self._clock_quiet)
        if left <= 0:
            raise UpstreamFailed("idle", f"nothing but comments for {self.target.timeout_seconds:g} s", http_status=200)
        return left

    def _take(self, chunk: bytes) -> bytes:
        """Digest a chunk (b"": the end) and return what of it is to be forwarded."""
        forwarded: list[bytes] = []
        try:
            if chunk:
                events = self._splitter.feed(chunk)
            else:
                # Some servers forget the blank line behind the last event.
                rest = self._splitter.finish()
                events = [rest.rstrip(b"\r\n") + b"\n\n"] if rest else []
            for event in events:
                if self._digest(event):
                    forwarded.append(event)
                if self._reader.done:
                    break
            if not chunk and not self._reader.done:
                if not self._reader.finished:
                    raise UpstreamFailed("cut", "the stream ended before its end", http_status=200)
                # Well-formed to its end, and the model had said that it is finished: only the farewell is missing.
                self._reader.done = True
                forwarded.append(self._dialect.end_event)
        except UpstreamFailed as failure:
            torn = not chunk and failure.kind == "bad_body" and self.clock_first_event is not None
            self._failure = (
                UpstreamFailed("cut", "the stream ended inside an event", http_status=200) if torn else failure
            )
        return b"".join(forwarded)

    def _digest(self, event: bytes) -> bool:
        """Look into one event; True when it is to be forwarded."""
        payload = self._reader.take(event)
        if payload is not None:
            self._said = True
            if self.clock_first_event is None and self._reader.began:
                self.clock_first_event = self._clock()
        return self._reader.is_for_client(payload)
