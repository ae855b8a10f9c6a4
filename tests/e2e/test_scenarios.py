"""The stories of `shadow demo --scenario` end as they should, with real processes, over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shadow.testing import free_port

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("scenario", ["upgrade-worse"])
def test_a_scenario_ends_in_the_right_state_with_evidence_and_a_message(scenario: str, open_directory: Path) -> None:
    command = [sys.executable, "-m", "shadow.cli.main", "demo", "--scenario", scenario, "--json"]
    ports = [
        "--port",
        str(free_port()),
        "--control-port",
        str(free_port()),
        "--directory",
        str(open_directory / "demo"),
    ]
    done = subprocess.run([*command, *ports], check=False, capture_output=True, text=True, timeout=280)
    assert done.returncode in {0, 1}, done.stderr
    found = json.loads(done.stdout)
    assert [name for name, holds in found["checks"].items() if not holds] == []
    assert (found["state"], found["ok"]) == (found["expected"], True)
    assert found["evidence"]
    assert found["message"]["title"]
