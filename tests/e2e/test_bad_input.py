"""What does a person see who starts a command wrongly? One line on what is wrong, exit code 2, and nothing is left running."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

pytestmark = pytest.mark.slow

PRICE = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1}
MARK = "SHADOWTIER_TEST_MARK"


@dataclass(frozen=True)
class Done:
    """How a command ended. left: command lines of processes that it started and that still run."""

    code: int
    out: str
    err: str
    left: list[list[str]]


def shadow(*words: str | Path, **environ: str) -> Done:
    mark = uuid.uuid4().hex
    done = subprocess.run(
        [sys.executable, "-m", "shadow.cli.main", *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, MARK: mark, **environ},
        start_new_session=True,
    )
    return Done(done.returncode, done.stdout, done.stderr, left_behind(mark, words))


def left_behind(mark: str, words: tuple[str | Path, ...]) -> list[list[str]]:
    """Processes with the mark in their environment, or with a directory of the test on their command line (PostgreSQL's)."""
    paths = [place for word in words if isinstance(word, Path) for place in (word, *word.parents)]
    places = [str(place) for place in paths if place.name.startswith("shadowtier-")]
    found = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            marked = process.environ().get(MARK) == mark
        except psutil.Error:
            continue
        if process.pid != os.getpid() and (marked or any(place in word for place in places for word in command)):
            found.append(command)
    return found


def refused(done: Done, *parts: str) -> None:
    """One line with all of these in it, no stack trace, exit code 2, nobody left."""
    assert done.code == 2, done
    assert "Traceback" not in done.err
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("shadow")
    for part in parts:
        assert part in lines[0]
    assert done.left == []


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def content(open_directory: Path) -> dict[str, Any]:
    """A configuration that would start."""
    return {
        "providers": {"lab": {"base_url": "http://127.0.0.1:9/v1"}},
        "tiers": [
            {"name": "fast", "models": [{"provider": "lab", "model": "small", "price": PRICE}]},
            {"name": "top", "models": [{"provider": "lab", "model": "large", "price": PRICE}]},
        ],
        "routing": {"thresholds": {"fast": 0.8}},
        "server": {"port": free_port(), "control_port": free_port()},
        "data_dir": str(open_directory / "data"),
    }


def written(directory: Path, content: dict[str, Any]) -> Path:
    file = directory / "shadow.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


READING = pytest.mark.parametrize("command", ["up", "report"])


@READING
def test_an_unknown_key_is_named_with_the_one_that_was_meant(
    command: str, open_directory: Path, content: dict[str, Any]
) -> None:
    content["sampling"] = {"upp": 0.1}
    done = shadow(command, "--config", written(open_directory, content))
    refused(done, "shadow.yaml", "sampling.upp: unknown key", "did you mean `up`")


@READING
def test_a_missing_configuration_file_is_named(command: str, open_directory: Path) -> None:
    refused(shadow(command, "--config", open_directory / "nowhere.yaml"), "nowhere.yaml: no such file")


def test_a_file_that_is_not_yaml_is_named_with_the_line(open_directory: Path) -> None:
    file = open_directory / "shadow.yaml"
    file.write_text("tiers:\n  - {name: [")
    refused(shadow("report", "--config", file), "shadow.yaml, line 2", "not YAML")


@READING
def test_a_threshold_of_an_unknown_tier_is_named(command: str, open_directory: Path, content: dict[str, Any]) -> None:
    content["routing"]["thresholds"]["quick"] = 0.5
    refused(shadow(command, "--config", written(open_directory, content)), "unknown tier 'quick'", "fast, top")


def test_a_model_without_a_price_stops_the_start(open_directory: Path, content: dict[str, Any]) -> None:
    del content["tiers"][0]["models"][0]["price"]
    done = shadow("up", "--config", written(open_directory, content))
    refused(done, "no price is known for model 'small'", "add price")
    assert not (open_directory / "data").exists()


def test_every_model_without_a_price_has_its_line(open_directory: Path, content: dict[str, Any]) -> None:
    for tier in content["tiers"]:
        del tier["models"][0]["price"]
    done = shadow("up", "--config", written(open_directory, content))
    assert done.code == 2
    assert ["'small'" in line or "'large'" in line for line in done.err.splitlines()] == [True, True]


def test_a_missing_key_variable_is_named(open_directory: Path, content: dict[str, Any]) -> None:
    content["providers"]["lab"]["api_key_env"] = "NOBODY_SET_THIS"
    refused(shadow("up", "--config", written(open_directory, content)), "providers.lab", "NOBODY_SET_THIS", "not set")


def test_listening_for_other_machines_without_keys_is_refused(open_directory: Path, content: dict[str, Any]) -> None:
    content["server"]["host"] = "0.0.0.0"
    refused(shadow("up", "--config", written(open_directory, content)), "server.host", "SHADOW_API_KEYS")


@pytest.mark.parametrize("key", ["port", "control_port"])
def test_a_taken_port_is_named_by_its_key(key: str, taken: int, open_directory: Path, content: dict[str, Any]) -> None:
    content["server"][key] = taken
    done = shadow("up", "--config", written(open_directory, content))
    refused(done, f"server.{key}: 127.0.0.1:{taken} is taken")


def test_one_port_for_both_is_refused(open_directory: Path, content: dict[str, Any]) -> None:
    content["server"]["control_port"] = content["server"]["port"]
    done = shadow("up", "--config", written(open_directory, content))
    refused(done, "server.port and server.control_port are both")


def test_a_scheduler_alone_names_its_taken_port(
    taken: int, open_directory: Path, content: dict[str, Any], database_url: str
) -> None:
    content["server"]["control_port"] = taken
    content["database"] = {"url": database_url}
    done = shadow("scheduler", "--config", written(open_directory, content))
    refused(done, f"server.control_port: 127.0.0.1:{taken} is taken")


@pytest.mark.parametrize("role", ["router", "worker", "scheduler"])
def test_a_role_without_any_database_says_how_to_get_one(
    role: str, open_directory: Path, content: dict[str, Any]
) -> None:
    refused(shadow(role, "--config", written(open_directory, content)), "database.url is not set", "shadow up")


def unusable(directory: Path, kind: str) -> Path:
    """A data directory that even root can't use: below a file, or where the kernel makes none."""
    if kind == "proc":
        return Path("/proc/shadowtier")
    (directory / "file").write_text("in the way")
    return directory / "file" / "data"


@READING
@pytest.mark.parametrize("kind", ["below a file", "proc"])
def test_a_data_directory_that_cannot_be_used_is_named(
    command: str, kind: str, open_directory: Path, content: dict[str, Any]
) -> None:
    place = unusable(open_directory, kind)
    content["data_dir"] = str(place)
    refused(shadow(command, "--config", written(open_directory, content)), str(place), "data_dir")


def test_a_data_directory_that_cannot_be_used_stops_the_start_with_a_configured_database_too(
    open_directory: Path, content: dict[str, Any], database_url: str
) -> None:
    content |= {"data_dir": "/proc/shadowtier", "database": {"url": database_url}}
    refused(shadow("up", "--config", written(open_directory, content)), "/proc/shadowtier", "data_dir")


@pytest.mark.parametrize(
    ("command", "url", "said"),
    [
        ("up", "postgresql://shadow:hushhush@127.0.0.1:{port}/shadow", "Connection refused"),
        ("report", "postgresql://shadow:hushhush@127.0.0.1:{port}/shadow", "Connection refused"),
        ("up", "postgresql://shadow:hushhush@127.0.0.1:port/shadow", "database.url: cannot be read"),
        ("report", "postgresql://shadow:hushhush@127.0.0.1:{port}/shadow?sslmodde=off", "sslmodde"),
        ("up", "mysql://shadow:hushhush@127.0.0.1/shadow", "'mysql' is not supported"),
        ("report", "mysql://shadow:hushhush@127.0.0.1/shadow", "'mysql' is not supported"),
        ("report", "sqlite:///hushhush.db", "'sqlite' is not supported"),
        ("report", "hushhush", "database.url: is no URL"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_without_its_password(
    command: str, url: str, said: str, open_directory: Path, content: dict[str, Any]
) -> None:
    content["database"] = {"url": url.format(port=free_port())}
    done = shadow(command, "--config", written(open_directory, content))
    refused(done, said)
    assert "hushhush" not in done.err + done.out


def test_a_report_on_an_empty_database_says_what_to_run(
    open_directory: Path, content: dict[str, Any], empty_database_url: str
) -> None:
    content["database"] = {"url": empty_database_url}
    refused(shadow("report", "--config", written(open_directory, content)), "shadow up", "shadow db upgrade")


@pytest.mark.parametrize("option", ["--port", "--control-port"])
def test_a_demo_on_a_taken_port_ends_with_its_providers(option: str, taken: int, open_directory: Path) -> None:
    ports = {"--port": free_port(), "--control-port": free_port(), option: taken}
    words = [str(word) for pair in ports.items() for word in pair]
    done = shadow("demo", "--seconds", "5", *words, "--directory", open_directory / "demo")
    refused(done, f"127.0.0.1:{taken} is taken")


@pytest.mark.parametrize("kind", ["below a file", "proc"])
def test_a_demo_in_a_directory_that_cannot_be_used_names_it(kind: str, open_directory: Path) -> None:
    place = unusable(open_directory, kind)
    done = shadow("demo", "--seconds", "5", "--directory", str(place))
    refused(done, str(place), "--directory")


def test_an_option_out_of_range_is_one_line() -> None:
    refused(shadow("demo", "--sampling", "7"), "--sampling", "7.0 is not in the range")
    refused(shadow("report", "--days", "soon"), "--days", "'soon'")
    refused(shadow("judge"), "PAIRS")
    refused(shadow("jugde"), "No such command 'jugde'")


def test_pairs_that_cannot_be_read_are_named(open_directory: Path) -> None:
    refused(shadow("judge", open_directory / "nowhere.jsonl"), "nowhere.jsonl: no such file")
    refused(shadow("judge", open_directory), str(open_directory), "directory")


def test_an_output_file_that_cannot_be_written_is_named_before_any_work(open_directory: Path) -> None:
    pairs = open_directory / "pairs.jsonl"
    pairs.write_text('{"id": 1, "prompt": "2+2?", "answer": "4", "reference": "4"}\n')
    out = open_directory / "nowhere" / "verdicts.jsonl"
    refused(shadow("judge", pairs, "--panel", "structured", "--out", out), "verdicts.jsonl: cannot be written")


def test_an_unknown_judge_is_named_with_those_there_are(open_directory: Path) -> None:
    refused(shadow("judge", open_directory / "pairs.jsonl", "--panel", "oracle"), "unknown judge 'oracle'", "lexical")


def test_a_calibration_that_is_not_there_is_named(open_directory: Path) -> None:
    pairs = open_directory / "pairs.jsonl"
    pairs.write_text('{"id": 1, "prompt": "2+2?", "answer": "4", "reference": "4"}\n')
    place = open_directory / "nowhere"
    refused(shadow("judge", pairs, "--panel", "structured", "--calibration", place), "nowhere")
