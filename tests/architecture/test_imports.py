"""Who imports whom, and what does an inline router load?"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: What must never be in the process that answers clients.
FORBIDDEN = (
    "torch",
    "sentence_transformers",
    "transformers",
    "sklearn",
    "scipy",
    "sqlalchemy",
    "alembic",
    "psycopg",
    "judges",
    "shadow",
)

LOAD_ALL = """
import importlib, json, pkgutil, sys
import psutil
package = importlib.import_module(sys.argv[1])
names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    importlib.import_module(name)
tops = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"modules": names, "loaded": tops, "rss_mb": psutil.Process().memory_info().rss / 1e6}))
"""


def load_all(package: str) -> dict[str, Any]:
    command = [sys.executable, "-W", "error", "-c", LOAD_ALL, package]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.slow
def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_store_touches_the_driver() -> None:
    importers = [
        path.relative_to(ROOT).as_posix()
        for package in ("router", "judges", "shadow")
        for path in (ROOT / package).rglob("*.py")
        if re.search(
            r"^\s*(?:import|from) (?:psycopg|sqlalchemy|alembic)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert importers
    assert [name for name in importers if not name.startswith("shadow/store/")] == []


@pytest.mark.slow
def test_the_router_loads_neither_torch_nor_the_database_nor_the_judges(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = load_all("router")
    assert "router.contracts" in found["modules"]
    assert [name for name in FORBIDDEN if name in found["loaded"]] == []
    with capsys.disabled():
        print(f" [all of router imported: {found['rss_mb']:.0f} MB resident] ", end="")
    assert found["rss_mb"] < 150


@pytest.mark.slow
def test_importing_the_judges_loads_no_model_library() -> None:
    found = load_all("judges")
    assert "judges.contracts" in found["modules"]
    assert [
        name
        for name in ("torch", "sentence_transformers", "transformers", "router", "shadow")
        if name in found["loaded"]
    ] == []


@pytest.mark.slow
def test_importing_the_shadow_side_loads_no_model_library() -> None:
    found = load_all("shadow")
    assert "shadow.store.embedded" in found["modules"]
    assert [name for name in ("torch", "sentence_transformers", "transformers") if name in found["loaded"]] == []
