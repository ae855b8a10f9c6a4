"""`shadow grafana push` provisions a Grafana over HTTP. The Grafana here is a small server with the same routes and rules."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from shadow.cli.grafana import grafana
from shadow.errors import ConfigError
from shadow.grafana.push import GrafanaError, database_of
from shadow.settings import Settings

pytestmark = pytest.mark.slow

TOKEN = "glsa_test"
STORE = "postgresql://shadow:s3cret@db.internal:6432/shadow?sslmode=require"


class GrafanaStandIn(ThreadingHTTPServer):
    """Datasources and folders by uid, dashboards by uid; writes need the token."""

    def __init__(self, *, role: str = "Admin") -> None:
        super().__init__(("127.0.0.1", 0), Routes)
        self.role = role
        self.datasources: dict[str, dict[str, Any]] = {}
        self.folders: dict[str, dict[str, Any]] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.rule_groups: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Routes(BaseHTTPRequestHandler):
    server: GrafanaStandIn
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(*self.found(self.path))

    def do_POST(self) -> None:
        self.write()

    def do_PUT(self) -> None:
        self.write()

    def found(self, path: str) -> tuple[int, dict[str, Any]]:
        self.server.calls.append(("GET", path))
        kind, _, uid = path.removeprefix("/api/").rpartition("/")
        shelf = {"datasources/uid": self.server.datasources, "folders": self.server.folders}[kind]
        return (200, shelf[uid]) if uid in shelf else (404, {"message": f"{uid} not found"})

    def write(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.calls.append((self.command, self.path))
        if self.headers["authorization"] not in {f"Bearer {TOKEN}", "Basic YWRtaW46YWRtaW4="}:
            self.answer(401, {"message": "Invalid API key"})
        elif self.server.role != "Admin":
            self.answer(403, {"message": "permissions needed: datasources:create"})
        elif self.path == "/api/datasources" and self.command == "POST":
            self.server.datasources[body["uid"]] = body
            self.answer(200, {"datasource": body, "message": "Datasource added"})
        elif self.path.startswith("/api/datasources/uid/") and self.command == "PUT":
            self.server.datasources[self.path.rpartition("/")[2]] = body
            self.answer(200, {"datasource": body, "message": "Datasource updated"})
        elif self.path == "/api/folders":
            self.server.folders[body["uid"]] = body
            self.answer(200, body)
        elif self.path == "/api/dashboards/db":
            if body["folderUid"] not in self.server.folders:
                self.answer(400, {"message": "folder not found"})
                return
            self.server.dashboards[body["dashboard"]["uid"]] = body
            self.answer(200, {"status": "success", "url": f"/d/{body['dashboard']['uid']}/x", "version": 1})
        elif self.path == "/api/v1/provisioning/folder/shadowtier/rule-groups/shadowtier":
            self.server.rule_groups[body["title"]] = body
            self.answer(200 if body["folderUid"] in self.server.folders else 400, body)
        else:
            self.answer(404, {"message": "no such route"})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        if self.headers["authorization"] is None:
            status, body = 401, {"message": "Unauthorized"}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has in the standard library
        """Quiet."""


def served(server: GrafanaStandIn) -> Iterator[GrafanaStandIn]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def stand_in() -> Iterator[GrafanaStandIn]:
    yield from served(GrafanaStandIn())


@pytest.fixture
def viewer_only() -> Iterator[GrafanaStandIn]:
    yield from served(GrafanaStandIn(role="Viewer"))


@pytest.fixture
def config(tmp_path: Path, console_config: Settings) -> Path:
    path = tmp_path / "shadow.yaml"
    path.write_text(yaml.safe_dump(console_config.model_dump(mode="json", exclude={"data_dir"})), encoding="utf-8")
    return path


def push(config: Path, url: str, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(
        grafana, ["push", "--config", str(config), "--url", url, *arguments], env=dict(environment)
    )


def test_a_push_creates_the_datasource_the_folder_and_the_dashboard(stand_in: GrafanaStandIn, config: Path) -> None:
    done = push(config, stand_in.url, "--token", TOKEN, "--database-url", STORE)
    assert done.exit_code == 0, done.output
    (source,) = stand_in.datasources.values()
    assert (source["uid"], source["url"], source["user"]) == ("shadowtier-postgres", "db.internal:6432", "shadow")
    assert source["secureJsonData"] == {"password": "s3cret"}
    assert source["jsonData"]["database"] == "shadow"
    assert source["jsonData"]["sslmode"] == "require"
    (pushed,) = stand_in.dashboards.values()
    assert pushed["folderUid"] in stand_in.folders
    assert pushed["overwrite"] is True
    assert pushed["dashboard"]["id"] is None
    assert pushed["dashboard"]["panels"]
    assert f"{stand_in.url}/d/shadowtier-quality" in done.output
    (group,) = stand_in.rule_groups.values()
    assert {rule["folderUID"] for rule in group["rules"]} == {pushed["folderUid"]}
    assert any(rule["annotations"]["runbook_url"].endswith("runbooks.md#budget") for rule in group["rules"])
    assert "{{ $labels.key }}" in json.dumps(group), "only in files are two $ needed"
    assert "s3cret" not in done.output
    assert TOKEN not in done.output


def test_a_second_push_replaces_what_is_there(stand_in: GrafanaStandIn, config: Path) -> None:
    push(config, stand_in.url, "--token", TOKEN, "--database-url", STORE)
    done = push(config, stand_in.url, "--token", TOKEN, "--database-url", STORE.replace("6432", "5432"))
    assert done.exit_code == 0, done.output
    assert [len(shelf) for shelf in (stand_in.datasources, stand_in.folders, stand_in.dashboards)] == [1, 1, 1]
    assert stand_in.datasources["shadowtier-postgres"]["url"] == "db.internal:5432"
    assert "replaced" in done.output


def test_address_and_credentials_may_come_from_the_environment(stand_in: GrafanaStandIn, config: Path) -> None:
    environment = {"GRAFANA_URL": stand_in.url, "GRAFANA_USER": "admin", "GRAFANA_PASSWORD": "admin"}
    done = CliRunner().invoke(
        grafana, ["push", "--config", str(config)], env=environment | {"GRAFANA_DATABASE_URL": STORE}
    )
    assert done.exit_code == 0, done.output
    assert stand_in.dashboards


def test_a_wrong_token_is_one_clear_line(stand_in: GrafanaStandIn, config: Path) -> None:
    done = push(config, stand_in.url, "--token", "nonsense", "--database-url", STORE)
    assert isinstance(done.exception, GrafanaError)
    assert "the token (or password) is not accepted" in str(done.exception)


def test_a_role_that_may_not_write_is_told_what_it_lacks(viewer_only: GrafanaStandIn, config: Path) -> None:
    done = push(config, viewer_only.url, "--token", TOKEN, "--database-url", STORE)
    assert isinstance(done.exception, GrafanaError)
    assert "datasources:create" in str(done.exception)


def test_a_grafana_that_is_not_there_is_one_clear_line(config: Path) -> None:
    done = push(config, "http://127.0.0.1:9", "--token", TOKEN, "--database-url", STORE)
    assert isinstance(done.exception, GrafanaError)
    assert "cannot be reached" in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give a --token"),
        (["--token", TOKEN], "set database.url, or give --database-url"),
        (
            ["--token", TOKEN, "--database-url", "postgresql+psycopg://postgres@/postgres?host=/run/x"],
            "over the network",
        ),
    ],
)
def test_what_is_missing_is_named(stand_in: GrafanaStandIn, config: Path, arguments: list[str], words: str) -> None:
    done = push(config, stand_in.url, *arguments)
    assert isinstance(done.exception, ConfigError)
    assert words in str(done.exception)
    assert stand_in.calls == []


def test_an_address_that_is_none_is_named(config: Path) -> None:
    done = push(config, "grafana:3000", "--token", TOKEN, "--database-url", STORE)
    assert isinstance(done.exception, ConfigError)
    assert "'grafana:3000' is no address" in str(done.exception)


def test_a_database_url_is_taken_apart() -> None:
    found = database_of("postgresql+psycopg://us%40er:p%2Fw@[::1]/metrics")
    assert (found.host, found.port, found.name) == ("::1", 5432, "metrics")
    assert (found.user, found.password, found.sslmode) == ("us@er", "p/w", "disable")
    assert "p/w" not in repr(found)
