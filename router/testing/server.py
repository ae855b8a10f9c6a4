"""How does a test get a whole router, with sockets and a spool, and look at what it recorded?"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import uvicorn

from router.contracts import Exchange
from router.feedback import Feedback
from router.segments import FINISHED_SUFFIX
from router.serve import bind, build, spool_directory
from router.settings import RouterSettings
from router.wire import entry_from_json


class RunningRouter:
    """A router on a free loopback port, in a thread of its own; a context manager. The port of the settings is ignored."""

    def __init__(self, settings: RouterSettings, data_dir: Path, environ: Mapping[str, str] | None = None) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._environ = dict(environ or {})
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes."""
        return f"{self.url}/v1"

    def exchanges(self) -> list[Exchange]:
        """All that was recorded so far, in order. For the record of a request whose answer is not complete, `stop` first."""
        return [entry for entry in self.entries() if isinstance(entry, Exchange)]

    def feedback(self) -> list[Feedback]:
        """All feedback that was recorded so far, in order."""
        return [entry for entry in self.entries() if isinstance(entry, Feedback)]

    def entries(self) -> list[Exchange | Feedback]:
        """Every line of the spool, in order."""
        return [
            entry_from_json(line)
            for path in sorted(spool_directory(self._data_dir).glob(f"*{FINISHED_SUFFIX}"), key=lambda path: path.name)
            for line in path.read_bytes().splitlines()
        ]

    def stop(self) -> None:
        """Let running requests end, close everything. Safe to call twice."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(30)
            self._server = self._thread = None

    def __enter__(self) -> RunningRouter:
        app = build(self._settings, self._data_dir, environ=self._environ)
        listener = bind("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            app, lifespan="on", ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=5
        )
        self._server = server = uvicorn.Server(config)

        def run() -> None:
            with listener:
                server.run(sockets=[listener])

        # The socket listens already, so the first request waits in its backlog until the application is up.
        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
