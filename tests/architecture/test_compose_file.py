"""Would `docker compose up` find all that the compose file names, and give away nothing?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from shadow.cli.main import shadow

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
TEXT = FILE.read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("migrate", "router", "worker", "scheduler")
LONG_RUNNING = ("postgres", "router", "worker", "scheduler", "grafana")


def with_defaults(text: str) -> str:
    """What compose makes of `${NAME:-default}` in an empty environment."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def bind_sources(service: dict[str, Any]) -> list[str]:
    found = []
    for volume in service.get("volumes", []):
        if isinstance(volume, dict) and volume["type"] == "bind":
            found.append(with_defaults(volume["source"]))
        elif isinstance(volume, str) and volume.startswith("."):
            found.append(volume.split(":")[0])
    return found


def named_volumes(service: dict[str, Any]) -> list[str]:
    texts = [volume for volume in service.get("volumes", []) if isinstance(volume, str)]
    return [text.split(":")[0] for text in texts if not text.startswith(".")]


@pytest.mark.slow
def test_the_compose_schema_accepts_the_file() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_compose_schema_would_reject_a_misspelt_key(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(TEXT.replace("healthcheck:", "healthchek:"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(broken)]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 1


def test_every_role_has_its_service() -> None:
    assert set(SERVICES) == {*LONG_RUNNING, "migrate"}
    commands = {name: SERVICES[name]["command"][0] for name in OURS}
    assert commands == {"migrate": "db", "router": "router", "worker": "worker", "scheduler": "scheduler"}


@pytest.mark.parametrize("name", OURS)
def test_the_commands_exist_and_take_a_configuration(name: str) -> None:
    command = SERVICES[name]["command"]
    done = CliRunner().invoke(shadow, [*command[: command.index("--config")], "--help"])
    assert done.exit_code == 0, done.output
    assert "--config" in done.output


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_is_mounted_from_the_checkout_exists(name: str) -> None:
    missing = [source for source in bind_sources(SERVICES[name]) if not (ROOT / source).exists()]
    assert missing == []


def test_named_volumes_are_declared_and_used() -> None:
    used = {volume for service in SERVICES.values() for volume in named_volumes(service)}
    assert used == set(COMPOSE["volumes"])


def test_only_loopback_ports_are_published() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(str(port).startswith("127.0.0.1:") for port in ports)
    assert "ports" not in SERVICES["postgres"]


def test_no_secret_stands_in_the_file() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|_KEY|URL", name):
                secret = value.partition("://")[2].partition("@")[0].partition(":")[2] if "://" in value else value
                assert re.fullmatch(r"\$\{\w+(:[-?][^}]*)?\}", secret), name


def test_every_variable_is_explained_in_the_example_environment() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    explained = set(re.findall(r"^#? ?([A-Z_]+)=", example, flags=re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+)", TEXT)) == explained
    assert re.findall(r"^[A-Z_]+=.+$", example, flags=re.MULTILINE) == []


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_what_runs_on_is_watched_and_restarted(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OURS)
def test_our_containers_have_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


def test_the_router_waits_for_nobody() -> None:
    assert "depends_on" not in SERVICES["router"]
    assert "spool:/var/lib/shadowtier" in SERVICES["router"]["volumes"]


def test_only_the_worker_image_has_torch() -> None:
    extras = {name: SERVICES[name]["build"]["args"]["EXTRAS"] for name in OURS}
    assert extras == {"migrate": "", "router": "", "scheduler": "", "worker": "judges"}
    images = {name: SERVICES[name]["image"] for name in OURS}
    assert images["worker"] not in {images["migrate"], images["router"], images["scheduler"]}


def test_the_configuration_path_is_possible() -> None:
    """In Debian `/etc/shadow` is the file of passwords, so nothing can be mounted below it."""
    for name in OURS:
        paths = [part for part in SERVICES[name]["command"] if part.startswith("/")]
        assert paths == ["/etc/shadowtier/shadow.yaml"]
        assert SERVICES[name]["volumes"][0]["target"] == paths[0]


def test_the_image_is_built_from_files_that_exist_and_runs_as_nobody_special() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert [source for source in sources if f"!{source}" not in allowed] == []
    final_stage = dockerfile.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\S+)$", final_stage, re.MULTILINE) == ["shadowtier"]


def test_the_example_environment_is_never_committed_filled_in() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
