"""Does the embedded PostgreSQL start anywhere, keep what it was given, and never outlive its parent?"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from shadow.errors import DataDirectoryError, StoreError
from shadow.store.embedded import EmbeddedPostgres, attach, attached_or_started

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534

HOLD = """
import signal, sys
from shadow.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(sys.argv[1]).start()
print(server.url, flush=True)
signal.pause()
"""
START_AND_STOP = """
import os, sys, psycopg
from shadow.errors import StoreError
from shadow.store.embedded import EmbeddedPostgres
try:
    with EmbeddedPostgres(sys.argv[1]) as server:
        with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
            print("answer", connection.execute("SELECT 6 * 7").fetchone()[0], "euid", os.geteuid())
except StoreError as error:
    print(type(error).__name__, error)
"""


def connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def python(script: str, *args: object, **how: Any) -> subprocess.CompletedProcess[str]:
    command = [*how.pop("prefix", ()), sys.executable, "-c", script, *map(str, args)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, **how)


def living_servers(data_dir: Path) -> list[int]:
    """Processes of PostgreSQL on this data directory. A zombie that nobody reaps has ended."""
    marker = str(data_dir / "postgres" / "cluster")
    return [
        process.info["pid"]
        for process in psutil.process_iter(["pid", "cmdline", "status"])
        if marker in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def eventually(condition: Callable[[], bool], *, within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def normal_user() -> dict[str, Any]:
    """How to run this interpreter as a user who is not root, wherever the checkout lies."""
    if os.geteuid() != 0:
        return {}
    dropped: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    with contextlib.suppress(PermissionError):
        if python("import shadow.store.embedded", **dropped).returncode == 0:
            return dropped
    return {"prefix": ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")}


def user_namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    return (
        subprocess.run(["unshare", "--user", "--map-user=65534", "true"], capture_output=True, check=False).returncode
        == 0
    )


def test_it_starts_answers_and_leaves_nothing_running(open_directory: Path) -> None:
    with EmbeddedPostgres(open_directory) as server, connect(server.url) as connection:
        version, encoding, fsync = connection.execute(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_setting('fsync')"
        ).fetchone() or (0, "", "")
        assert version >= 150000
        assert encoding == "UTF8"
        assert fsync == "on"
        assert living_servers(open_directory)
    assert living_servers(open_directory) == []
    assert not list((open_directory / "postgres").glob(".s.PGSQL*"))
    with pytest.raises(StoreError, match="not running"):
        _ = server.url
    server.stop()


def test_data_is_there_after_a_restart(open_directory: Path) -> None:
    with EmbeddedPostgres(open_directory) as server, connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'grüße 你好' AS words")
    with EmbeddedPostgres(open_directory) as server, connect(server.url) as connection:
        assert connection.execute("SELECT words FROM kept").fetchall() == [("grüße 你好",)]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_takes_the_server_along_and_the_data_survives(
    open_directory: Path, how: signal.Signals
) -> None:
    command = [sys.executable, "-c", HOLD, str(open_directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        with connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
            parent.send_signal(how)
            parent.wait(10)
    assert eventually(lambda: living_servers(open_directory) == [], within_seconds=10)
    assert attach(open_directory) is None
    with EmbeddedPostgres(open_directory) as server, connect(server.url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_a_start_right_after_a_killed_parent_waits_for_the_old_server(open_directory: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(open_directory)]
    for _ in range(3):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            assert parent.stdout.readline().startswith("postgresql+psycopg://")
            parent.kill()
    with EmbeddedPostgres(open_directory) as server, connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_crash_of_the_server_loses_nothing_that_was_committed(open_directory: Path) -> None:
    server = EmbeddedPostgres(open_directory).start()
    with connect(server.url) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        for n in range(100):
            connection.execute("INSERT INTO kept VALUES (%s)", [n])
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
    server.stop()
    with EmbeddedPostgres(open_directory) as again, connect(again.url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (100,)


def test_a_second_start_on_the_same_directory_is_refused_by_name_of_the_owner(open_directory: Path) -> None:
    with EmbeddedPostgres(open_directory):
        with pytest.raises(DataDirectoryError, match=f"in use by process {os.getpid()}"):
            EmbeddedPostgres(open_directory).start()
        other = python(START_AND_STOP, open_directory)
        assert other.stdout.startswith("DataDirectoryError"), other.stdout + other.stderr
        assert len(living_servers(open_directory)) == 1


def test_other_processes_attach_to_the_running_server(open_directory: Path) -> None:
    assert attach(open_directory) is None
    with EmbeddedPostgres(open_directory) as server:
        assert attach(open_directory) == server.url
        with attached_or_started(open_directory) as url:
            assert url == server.url
        script = "import sys; from shadow.store.embedded import attach; print(attach(sys.argv[1]))"
        assert python(script, open_directory).stdout.strip() == server.url
    assert attach(open_directory) is None
    with attached_or_started(open_directory) as url, connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert living_servers(open_directory) == []


def test_a_stale_url_file_attaches_to_nothing(open_directory: Path) -> None:
    home = open_directory / "postgres"
    (home / "cluster").mkdir(parents=True)
    (home / "url").write_text("postgresql+psycopg://postgres@/postgres?host=/nowhere")
    lines = [str(os.getpid()), str(home / "cluster"), "0", "5432", str(home), "", "0 0", "ready"]
    (home / "cluster" / "postmaster.pid").write_text("\n".join(lines))
    assert attach(open_directory) is None


@pytest.mark.parametrize("name", ["x" * 120, "with space, comma and ä"])
def test_a_path_that_no_socket_can_have_works_all_the_same(open_directory: Path, name: str) -> None:
    data_dir = open_directory / name
    with EmbeddedPostgres(data_dir) as server, connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        socket_dir = Path(str(connection.info.host))
        assert socket_dir.stat().st_mode & 0o077 == 0
    assert not socket_dir.exists()


def test_it_runs_as_a_normal_user(open_directory: Path) -> None:
    done = python(START_AND_STOP, open_directory / "data", **normal_user())
    assert "answer 42" in done.stdout, done.stdout + done.stderr
    assert "euid 0" not in done.stdout


def test_a_directory_below_a_closed_one_works_or_says_what_to_do(open_directory: Path) -> None:
    closed = open_directory / "closed"
    closed.mkdir(mode=0o700)
    done = python(START_AND_STOP, closed / "data")
    if os.geteuid() != 0 or user_namespaces_work():
        assert "answer 42" in done.stdout, done.stdout + done.stderr
    else:
        assert "run as a normal user" in done.stdout


def test_settings_of_the_caller_reach_the_server(open_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "5999")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    with EmbeddedPostgres(open_directory, durable=False, settings={"work_mem": "9MB"}, niceness=7) as server:
        with connect(server.url) as connection:
            row = connection.execute("SELECT current_setting('work_mem'), current_setting('fsync')").fetchone()
        assert row == ("9MB", "off")
        assert psutil.Process(server.pid).nice() >= 7


def test_a_file_in_place_of_the_directory_is_named(open_directory: Path) -> None:
    (open_directory / "data").write_text("")
    with pytest.raises(DataDirectoryError, match="data is not a directory"):
        EmbeddedPostgres(open_directory / "data").start()
    assert attach(open_directory / "data") is None


def test_a_place_where_nothing_can_be_made_is_named() -> None:
    with pytest.raises(DataDirectoryError, match="cannot use the data directory /proc/shadowtier"):
        EmbeddedPostgres("/proc/shadowtier").start()


def test_a_directory_without_write_permission_is_named(open_directory: Path) -> None:
    locked = open_directory / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    done = python(START_AND_STOP, locked, **normal_user())
    assert done.stdout.startswith("DataDirectoryError cannot use the data directory"), done.stdout + done.stderr
    assert "permission denied" in done.stdout


def test_data_of_another_major_version_is_refused_and_left_alone(open_directory: Path) -> None:
    cluster = open_directory / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("9\n")
    with pytest.raises(DataDirectoryError, match="holds data of PostgreSQL 9"):
        EmbeddedPostgres(open_directory).start()
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]
    (cluster / "PG_VERSION").write_text("not a number")
    with pytest.raises(DataDirectoryError, match="damaged"):
        EmbeddedPostgres(open_directory).start()


def test_a_damaged_cluster_shows_the_last_words_of_the_server(open_directory: Path) -> None:
    EmbeddedPostgres(open_directory, durable=False).start().stop()
    (open_directory / "postgres" / "cluster" / "global" / "pg_control").unlink()
    with pytest.raises(StoreError, match=r"did not start: .*pg_control"):
        EmbeddedPostgres(open_directory).start()
    assert living_servers(open_directory) == []


def test_it_refuses_to_be_started_from_a_thread_that_may_end(open_directory: Path) -> None:
    errors: list[StoreError] = []

    def run() -> None:
        try:
            EmbeddedPostgres(open_directory).start()
        except StoreError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert [str(error) for error in errors] == [
        "start the embedded PostgreSQL from the main thread: it stops with the thread that started it"
    ]


def test_a_wrong_pg_bin_is_named(open_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", str(open_directory))
    with pytest.raises(StoreError, match=r"PG_BIN=.* has no executable"):
        EmbeddedPostgres(open_directory).start()
    assert attach(open_directory) is None


def test_pg_bin_and_system_installations_are_found(open_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from shadow.store.pg_binaries import find_binaries

    wheel = find_binaries()
    monkeypatch.setenv("PG_BIN", str(wheel.bin_dir))
    assert find_binaries(major=wheel.major).bin_dir == wheel.bin_dir
    with pytest.raises(StoreError, match=r"no PostgreSQL 9 binaries found \(only"):
        find_binaries(major=9)
