"""Where do the other proxies come from? Each into a folder of its own below `.bench/`, at a fixed version, once.

Nothing of it enters the project's own environment. What can't be had is absent, with a line that says why.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

LITELLM_VERSION = "1.106.2"
PORTKEY_VERSION = "1.15.2"
_MINUTES = 15


class AbsentError(Exception):
    """A peer that can't be measured here; the message says why and what to do."""


def litellm(folder: Path) -> Path:
    """The LiteLLM proxy's command. Raises: AbsentError."""
    home = folder / f"litellm-{LITELLM_VERSION}"
    command = home / "bin" / "litellm"
    if not _complete(home):
        _say(f"installing LiteLLM {LITELLM_VERSION} into {home} (a minute or two, once)")
        shutil.rmtree(home, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(home)], "LiteLLM")
        pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        _run([*pip, f"litellm[proxy]=={LITELLM_VERSION}"], "LiteLLM")
        _mark(home)
    return command


def portkey(folder: Path) -> list[str]:
    """What starts the Portkey gateway. Raises: AbsentError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise AbsentError("Portkey: node and npm are missing (Debian: apt-get install nodejs npm)")
    home = folder / f"portkey-{PORTKEY_VERSION}"
    if not _complete(home):
        _say(f"installing the Portkey gateway {PORTKEY_VERSION} into {home} (seconds, once)")
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        options = ["--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(home)]
        _run([npm, "install", *options, f"@portkey-ai/gateway@{PORTKEY_VERSION}"], "Portkey")
        _mark(home)
    return [node, str(home / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js")]


def nginx() -> str:
    """The nginx of the system. Raises: AbsentError."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise AbsentError("nginx: not installed (Debian: apt-get install nginx-light)")
    return found


def nginx_version() -> str:
    said = subprocess.run([nginx(), "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().rpartition("/")[2]


def _complete(home: Path) -> bool:
    return (home / ".complete").exists()


def _mark(home: Path) -> None:
    (home / ".complete").touch()


def _run(command: Sequence[str], name: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60 * _MINUTES, check=False)
    except subprocess.TimeoutExpired:
        raise AbsentError(f"{name}: the installation did not end within {_MINUTES} minutes") from None
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        telling = [line for line in lines if "error" in line.lower()] or lines or ["no output"]
        raise AbsentError(f"{name}: could not be installed, is its registry reachable? {telling[-1].strip()[:200]}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
