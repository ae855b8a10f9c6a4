"""Does a message arrive? A webhook on a loopback port that keeps what is sent to it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_MOST_BYTES = 1_000_000


class Webhook:
    """A context manager. `received`: the JSON bodies, in order of arrival."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        kept = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(min(int(self.headers.get("content-length", 0)), _MOST_BYTES))
                try:
                    kept.append(json.loads(body))
                except ValueError:
                    self.send_response(400)
                else:
                    self.send_response(204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
                """Nothing: what arrives is in `received`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def address(self) -> str:
        """As a channel of `alerts.notify` names it."""
        return f"json://127.0.0.1:{self._server.server_port}/messages"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def mentioning(self, *words: str) -> dict[str, Any] | None:
        """The first message that holds all of these words."""
        return next((m for m in self.received if all(word in json.dumps(m) for word in words)), None)
