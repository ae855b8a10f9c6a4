"""Does `shadow doctor` tell a healthy installation from a broken one, and does it survive the broken one?"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from shadow.doctor.memory import ProbeFailed, probe
from shadow.testing import Product

pytestmark = pytest.mark.slow
PRICE = {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0}
ROLES = ["router", "intake", "worker", "scheduler"]


def doctor(*words: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "shadow.cli.main", "doctor", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
        env={**os.environ, **environ},
    )
    assert "Traceback" not in done.stderr
    return done


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_a_running_product_is_well_and_its_roles_are_measured(product: Product) -> None:
    done = doctor("--config", product.config, "--json")
    found = findings(done)
    assert {name: finding["detail"] for name, finding in found.items() if finding["state"] == "bad"} == {}
    assert done.returncode == 0
    assert "held by our router" in found["server.port"]["detail"]
    assert "held by our scheduler" in found["server.control_port"]["detail"]
    assert found["policy file"]["state"] == "ok"
    measured = {figure["role"]: figure for figure in json.loads(done.stdout)["memory"]}
    assert set(measured) == {"supervisor", *ROLES}
    for role in ROLES:
        process = product.role(role)
        assert process is not None
        assert (measured[role]["pid"], measured[role]["measured"]) == (process.pid, "running")
        assert 20e6 < measured[role]["uss_bytes"] < measured[role]["rss_bytes"] < 1e9
    assert measured["router"]["loaded"] == []

    shown = doctor("--config", product.config).stdout
    assert "memory router" in shown
    assert "neither torch nor sentence_transformers is loaded" in " ".join(shown.split())


def test_a_product_at_rest_is_measured_by_its_imports_and_its_embedding_model_is_tried(
    open_directory: Path,
) -> None:
    done = doctor("--config", written(open_directory), "--json")
    found = findings(done)
    assert found["embedding model"]["state"] == "ok"
    assert found["database"]["detail"].startswith("embedded, not running now")
    measured = {figure["role"]: figure for figure in json.loads(done.stdout)["memory"]}
    assert list(measured) == ROLES
    assert all(figure["measured"] == "imports" for figure in measured.values())
    assert measured["router"]["loaded"] == []
    assert not (open_directory / "data").exists()
    assert done.returncode == 1  # nobody answers where the provider should be
    assert [name for name, finding in found.items() if finding["state"] == "bad"] == ["provider lab"]


def test_everything_broken_at_once_is_told_one_by_one(open_directory: Path) -> None:
    (open_directory / "file").touch()
    (open_directory / "calibration").mkdir()
    config = written(
        open_directory,
        providers={"lab": {"base_url": "http://user:hushhush@127.0.0.1:9/v1", "api_key_env": "LAB_KEY"}},
        tiers=[
            {"name": "fast", "models": [{"provider": "lab", "model": "nobody-heard-of-it"}]},
            {"name": "top", "models": [{"provider": "lab", "model": "large", "price": PRICE}]},
        ],
        routing={"thresholds": {"fast": 1.0}},
        server={"host": "0.0.0.0", "port": 9, "control_port": 9},
        database={"url": "postgresql://shadow:hushhush@127.0.0.1:9/x"},
        judges={"panel": ["structured"], "calibration": str(open_directory / "calibration")},
        data_dir=str(open_directory / "file" / "data"),
    )
    done = doctor("--config", config, "--json", LAB_KEY="hushhush\n", SHADOW_API_KEYS="")
    assert done.returncode == 1
    states = {name: finding["state"] for name, finding in findings(done).items()}
    broken = {"price nobody-heard-of-it", "access", "data directory", "ports", "database", "provider lab", "judges"}
    assert {name for name, state in states.items() if state == "bad"} == broken
    assert states["routing"] == "warn"
    assert all(finding["remedy"] for finding in findings(done).values() if finding["state"] != "ok")
    assert "hushhush" not in done.stdout + done.stderr


def test_a_configuration_that_does_not_load_is_a_finding(open_directory: Path) -> None:
    done = doctor("--config", open_directory / "nowhere.yaml", "--json")
    assert done.returncode == 1
    assert findings(done)["configuration"]["state"] == "bad"
    assert "no such file" in findings(done)["configuration"]["detail"]
    assert findings(done)["memory router"]["state"] == "ok"


def test_wrong_use_is_told_from_a_bad_finding() -> None:
    assert doctor("--nonsense").returncode == 2


@pytest.mark.parametrize(("schema", "said"), [("none", "has no schema yet"), ("future", "does not know")])
def test_a_database_of_another_version_is_told(
    schema: str, said: str, open_directory: Path, empty_database_url: str, database_url: str
) -> None:
    import psycopg

    from shadow.store.engine import libpq_url

    url = empty_database_url if schema == "none" else database_url
    if schema == "future":
        with psycopg.connect(libpq_url(url)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
    config = written(open_directory, database={"url": url}, judges={"panel": ["structured"]})
    database = findings(doctor("--config", config, "--json"))["database"]
    assert said in database["detail"]
    assert database["state"] == ("warn" if schema == "none" else "bad")


async def test_a_probe_that_cannot_import_says_why() -> None:
    with pytest.raises(ProbeFailed, match="Error"):
        await probe("no such role")


def free_ports() -> list[int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return [one.getsockname()[1], other.getsockname()[1]]


def written(directory: Path, **changes: Any) -> Path:
    port, control_port = free_ports()
    content = {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [
            {"name": "fast", "models": [{"provider": "lab", "model": "small", "price": PRICE}]},
            {"name": "top", "models": [{"provider": "lab", "model": "large", "price": PRICE}]},
        ],
        "routing": {"thresholds": {"fast": 0.8}},
        "server": {"port": port, "control_port": control_port},
        "data_dir": str(directory / "data"),
    }
    file = directory / "shadow.yaml"
    file.write_text(yaml.safe_dump({**content, **changes}))
    return file
