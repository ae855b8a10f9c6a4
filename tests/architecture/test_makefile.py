"""Do the two commands of the README say what they do, and what is missing, in one line?"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMISED = [
    "setup",
    "demo",
    "test",
    "test-fast",
    "faults",
    "bench-routing",
    "judge-cards",
    "lint",
    "types",
    "format",
    "docs",
    "lock",
    "local-model",
    "clean",
    "wheel",
]


def make(*arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "DEMO_"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which nothing was set up yet."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def interpreter(folder: Path, script: str) -> str:
    """A stand-in for an interpreter of a machine that we do not have."""
    path = folder / "interpreter"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_make_alone_lists_every_target_with_what_it_does() -> None:
    listed = {line.split()[0]: line.split()[1:] for line in make().stdout.splitlines() if line.startswith("  ")}
    assert set(PROMISED) <= set(listed)
    assert all(listed[target] for target in PROMISED)


def test_a_missing_python_gets_one_clear_line(checkout: Path) -> None:
    done = make("setup", "PYTHON=python-that-is-not-there", folder=checkout)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == (
        "python-that-is-not-there not found: install Python 3.11 or newer, or set PYTHON"
    )


def test_an_old_python_gets_one_clear_line(checkout: Path) -> None:
    old = interpreter(checkout, 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    done = make("demo", f"PYTHON={old}", folder=checkout)
    assert done.returncode != 0
    assert done.stderr.startswith("Python 3.9.2 is too old: Python 3.11 or newer is needed")
    assert not (checkout / ".venv").exists()


def test_a_python_without_venv_gets_one_clear_line(checkout: Path) -> None:
    bare = interpreter(checkout, 'case "$2" in *version_info*) exit 0;; *) exit 1;; esac')
    done = make("test", f"PYTHON={bare}", folder=checkout)
    assert done.returncode != 0
    assert "has no venv module: install it" in done.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("seconds", "command"), [("60", ".venv/bin/shadow demo --seconds 60"), ("0", ".venv/bin/shadow demo")]
)
def test_the_demo_runs_for_as_long_as_it_was_asked_to(checkout: Path, seconds: str, command: str) -> None:
    done = make("--dry-run", "demo", folder=checkout, DEMO_SECONDS=seconds)
    assert done.stdout.splitlines()[-1].strip() == command


def test_torch_comes_alone_and_first_so_that_it_is_the_build_for_the_cpu(checkout: Path) -> None:
    installs = [line for line in make("--dry-run", "setup", folder=checkout).stdout.splitlines() if "pip " in line]
    assert "torch==2.13.0" in installs[0]
    assert "--extra-index-url" in installs[0]
    assert "-c constraints.txt" in installs[1]
    assert "--extra-index-url" not in installs[1]


def test_continuous_integration_runs_what_everybody_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").splitlines()[-1] == "exec make test"
