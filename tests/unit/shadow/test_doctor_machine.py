"""Does the doctor see what is wrong with directories, ports, spool and endpoints? On real ones, on loopback."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shadow.doctor import machine
from shadow.doctor.findings import Finding
from shadow.doctor.providers import providers
from shadow.settings import Settings, parse

PRICE = {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0}
KEY = "sk-very-secret"


def settings(*, base_url: str = "http://127.0.0.1:9/v1", **changes: Any) -> Settings:
    content: dict[str, Any] = {
        "providers": {"lab": {"base_url": base_url, "api_key_env": "LAB_KEY"}},
        "tiers": [
            {"name": "fast", "models": [{"provider": "lab", "model": "small", "price": PRICE}]},
            {"name": "top", "models": [{"provider": "lab", "model": "large", "price": PRICE}]},
        ],
        "routing": {"thresholds": {"fast": 0.8}},
    }
    return parse({**content, **changes}, source="tests")


@contextmanager
def endpoint(
    status: int, body: object = None, headers: dict[str, str] | None = None
) -> Iterator[tuple[str, list[str]]]:
    """The base URL of a server that answers GET like this, and the Authorization headers it got."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(f"{self.path} {self.headers.get('Authorization')}")
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def asked(base_url: str, key: str = KEY) -> Finding:
    (found,) = await providers(settings(base_url=base_url), {"LAB_KEY": key})
    assert KEY not in repr(found)
    return found


def listing(*models: str) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": model} for model in models]}


async def test_an_endpoint_that_lists_our_models_is_well() -> None:
    with endpoint(200, listing("small", "large", "other")) as (url, seen):
        found = await asked(url)
    assert found.state == "ok"
    assert seen == [f"/v1/models Bearer {KEY}"]


async def test_a_model_that_the_endpoint_does_not_list_is_named() -> None:
    with endpoint(200, listing("small")) as (url, _):
        found = await asked(url)
    assert found.state == "warn"
    assert "large" in found.detail
    assert "small" not in found.detail


@pytest.mark.parametrize(
    ("status", "state", "said"),
    [
        (401, "bad", "does not accept the key in LAB_KEY"),
        (403, "bad", "does not accept the key in LAB_KEY"),
        (404, "warn", "lists no models"),
        (503, "bad", "in trouble"),
        (307, "bad", "points elsewhere"),
    ],
)
async def test_each_refusal_has_its_meaning(status: int, state: str, said: str) -> None:
    with endpoint(status, {"error": KEY}, {"Location": "http://127.0.0.1:9/"}) as (url, _):
        found = await asked(url)
    assert (found.state, said in found.detail) == (state, True), found
    assert found.remedy


async def test_an_endpoint_that_answers_something_else_is_at_least_reachable() -> None:
    for body in ("hello", [1], {"data": 3}, {"data": [1, {"name": "x"}]}, None):
        with endpoint(200, body) as (url, _):
            assert (await asked(url)).state == "ok"


async def test_nobody_there_is_told_without_credentials_of_the_address() -> None:
    found = await asked("http://user:hushhush@127.0.0.1:9/v1")
    assert found.state == "bad"
    assert "cannot be reached" in found.detail
    assert "hushhush" not in repr(found)


async def test_a_key_that_no_header_can_carry_is_not_sent() -> None:
    with endpoint(200, listing("small", "large")) as (url, seen):
        found = await asked(url, key=f"{KEY}\n{KEY}")
    assert found.state == "bad"
    assert seen == []


async def test_a_server_that_speaks_no_http_is_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"220 mail ready\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        found = await asked(f"http://127.0.0.1:{server.getsockname()[1]}/v1")
        thread.join()
    assert found.state == "bad"
    assert "did not answer properly" in found.detail


def two_providers(url: str) -> Settings:
    return settings(
        providers={"lab": {"base_url": url}, "other": {"base_url": url}},
        tiers=[
            {"name": "fast", "models": [{"provider": "lab", "model": "small", "price": PRICE}]},
            {"name": "top", "models": [{"provider": "other", "model": "large", "price": PRICE}]},
        ],
    )


async def test_all_endpoints_are_asked_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_when_both_have_asked() -> None:
            both = [server.accept()[0] for _ in range(2)]
            for connection in both:
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

        thread = threading.Thread(target=answer_when_both_have_asked)
        thread.start()
        found = await providers(two_providers(f"http://127.0.0.1:{server.getsockname()[1]}/v1"), {})
        thread.join()
    assert [finding.state for finding in found] == ["ok", "ok"]


async def test_an_endpoint_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shadow.doctor.providers.TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = await providers(two_providers(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"), {})
    assert [finding.state for finding in found] == ["bad", "bad"]
    assert all("did not answer within" in finding.detail for finding in found)


def test_a_data_directory_that_is_missing_is_fine_and_not_made(tmp_path: Path) -> None:
    (found,) = machine.data_directory(settings(data_dir=str(tmp_path / "a" / "b")))
    assert found.state == "ok"
    assert "not there yet" in found.detail
    assert list(tmp_path.iterdir()) == []


def test_a_data_directory_below_a_file_is_bad(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (found,) = machine.data_directory(settings(data_dir=str(tmp_path / "file" / "b")))
    assert found.state == "bad"
    assert "is not a directory" in found.detail


def test_a_full_disk_is_told_before_it_costs_exchanges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states = {}
    for limit in ("LITTLE_SPACE_BYTES", "NO_SPACE_BYTES"):
        monkeypatch.setattr(machine, limit, 1 << 62)
        (found,) = machine.data_directory(settings(data_dir=str(tmp_path)))
        states[limit] = found.state
    assert states == {"LITTLE_SPACE_BYTES": "warn", "NO_SPACE_BYTES": "bad"}


def test_a_port_that_a_stranger_holds_is_bad() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
        other.close()
        port = server.getsockname()[1]
        found = machine.ports(settings(server={"port": port, "control_port": free}), [])
    assert [(finding.name, finding.state) for finding in found] == [
        ("server.port", "bad"),
        ("server.control_port", "ok"),
    ]
    assert "set server.port" in found[0].remedy


def test_a_backlog_without_an_intake_and_rejected_lines_are_worth_a_look(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    assert [finding.state for finding in machine.spool(settings(data_dir=str(tmp_path)), [])] == ["ok"]
    (spool / "a-00000000.jsonl").write_bytes(b"x" * 2500)
    (spool / "rejected.jsonl").write_bytes(b"{}\n{}\n")
    waiting, rejected = machine.spool(settings(data_dir=str(tmp_path)), [])
    assert (waiting.state, rejected.state) == ("warn", "warn")
    assert "1 segment, 2 kB" in waiting.detail
    assert "2 exchanges" in rejected.detail
