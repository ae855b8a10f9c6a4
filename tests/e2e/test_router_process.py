"""Does a router process start, stop, die and degrade as promised?"""

import asyncio
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from router.segments import FINISHED_SUFFIX, OPEN_SUFFIX
from router.testing.configured import router_settings
from router.testing.provider import FakeProvider, answering, silence
from router.wire import exchange_from_json

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
BODY = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
PROGRAM = """
import resource, sys
from pathlib import Path
from router.errors import RouterError
from router.serve import run
from router.settings import RouterSettings

if len(sys.argv) > 3:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    run(RouterSettings.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
except RouterError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
heavy = {"torch", "sentence_transformers", "judges", "shadow", "sqlalchemy", "psycopg", "fastapi", "numpy", "scipy"}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.fixture
def provider():
    with FakeProvider() as running:
        yield running


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(provider, data_dir, port, *more, patient=False):
    limits = {"timeout_seconds": 60, "first_token_seconds": 60} if patient else {}
    settings = router_settings(provider.base_url, server={"port": port}, provider=limits)
    command = [sys.executable, "-c", PROGRAM, settings.model_dump_json(), str(data_dir), *map(str, more)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def running(provider, data_dir, port, *more, patient=False):
    """A router process that answers."""
    process = start(provider, data_dir, port, *more, patient=patient)
    try:
        deadline = time.monotonic() + 20
        for line in process.stderr:
            if "router.listening" in line:
                break
            assert time.monotonic() < deadline
        assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=20).status_code == 200
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ask(port, **more):
    return httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json={**BODY, **more}, timeout=20)


def recorded(data_dir):
    paths = sorted((data_dir / "spool").glob(f"*{FINISHED_SUFFIX}"), key=lambda path: path.name)
    return [exchange_from_json(line) for path in paths for line in path.read_bytes().splitlines()]


def test_a_router_is_small_and_knows_nothing_of_the_shadow_side(provider, tmp_path, port):
    with running(provider, tmp_path, port) as process:
        for _ in range(50):
            ask(port)
            ask(port, stream=True)
        assert psutil.Process(process.pid).memory_info().rss < 150 * 2**20
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
        assert process.returncode == 0
        assert out.strip() == "[]"
    assert len(recorded(tmp_path)) == 100


def test_a_taken_port_is_one_clear_line(provider, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(provider, tmp_path, port)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert err == f"cannot listen on 127.0.0.1:{port}: Address already in use; set server.port to another one\n"


def test_a_data_directory_that_cannot_be_written_is_one_clear_line(provider, tmp_path, port):
    (tmp_path / "file").write_text("")
    process = start(provider, tmp_path / "file", port)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert err.startswith("the spool directory ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_running_requests_end(provider, tmp_path, port, number):
    asked, go_on = threading.Semaphore(0), threading.Event()

    async def slowly(call):
        asked.release()
        await asyncio.to_thread(go_on.wait, 20)
        await answering()(call)

    provider.always("fast-a", slowly)
    answers = []
    with running(provider, tmp_path, port, patient=True) as process:
        threads = [
            threading.Thread(target=lambda streamed=streamed: answers.append(ask(port, stream=streamed)))
            for streamed in (False, True)
        ]
        for thread in threads:
            thread.start()
        assert asked.acquire(timeout=10)
        assert asked.acquire(timeout=10)
        process.send_signal(number)
        go_on.set()
        for thread in threads:
            thread.join(20)
        process.communicate(timeout=20)
        assert process.returncode == 0
    assert [answer.status_code for answer in answers] == [200, 200]
    assert {exchange.status for exchange in recorded(tmp_path)} == {"answered"}
    assert not list((tmp_path / "spool").glob(f"*{OPEN_SUFFIX}"))


def test_what_was_answered_survives_kill_9_and_the_segment_is_free(provider, tmp_path, port):
    answered = []
    with running(provider, tmp_path, port) as process:
        stop = threading.Event()

        def crowd():
            while not stop.is_set():
                try:
                    answer = ask(port)
                except httpx.HTTPError:
                    return
                answered.append(answer.headers["x-shadow-request-id"])
                if len(answered) > 40:
                    process.kill()

        threads = [threading.Thread(target=crowd) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        stop.set()
        process.wait(10)
    ids = [exchange.request_id for exchange in recorded(tmp_path)]
    assert set(answered) <= set(ids)
    assert len(ids) == len(set(ids))
    for path in (tmp_path / "spool").glob(f"*{OPEN_SUFFIX}"):
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises if anybody still held it


def test_a_new_policy_is_in_force_within_seconds_and_named_on_each_answer(provider, tmp_path, port):
    with running(provider, tmp_path, port):
        assert (ask(port).headers["x-shadow-policy"], ask(port).headers["x-shadow-tier"]) == ("0", "fast")
        new = tmp_path / "policy.new"
        new.write_text(json.dumps({"version": 5, "thresholds": {"fast": 1.0}, "band": 0}))
        new.replace(tmp_path / "policy.json")
        deadline = time.monotonic() + 5
        while (answer := ask(port)).headers["x-shadow-policy"] != "5":
            assert time.monotonic() < deadline
        assert answer.headers["x-shadow-tier"] == "top"


def test_a_disk_that_takes_no_more_costs_records_and_not_answers(provider, tmp_path, port):
    with running(provider, tmp_path, port, 3000):  # no file may grow beyond 3000 bytes
        answers = [ask(port) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200}
        ready = httpx.get(f"http://127.0.0.1:{port}/readyz")
        assert ready.status_code == 200
        assert (ready.json()["status"], ready.json()["reason"]) == ("degraded", "a write failed: File too large")
        page = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        [line] = [line for line in page.splitlines() if line.startswith('exchanges_lost_total{reason="write_failed"}')]
        lost = int(float(line.split()[1]))
        assert lost > 0
        assert "shadow_spool_degraded 1.0" in page
    assert len(recorded(tmp_path)) == 20 - lost


def test_the_second_signal_does_not_wait(provider, tmp_path, port):
    provider.always("fast-a", silence())
    content = json.dumps(BODY).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(content)
    with (
        running(provider, tmp_path, port, patient=True) as process,
        socket.create_connection(("127.0.0.1", port)) as waiting,
    ):
        waiting.sendall(head + content)
        assert provider.asked.wait(10)
        os.kill(process.pid, signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        os.kill(process.pid, signal.SIGTERM)
        process.wait(10)
    [exchange] = recorded(tmp_path)
    assert (exchange.status, exchange.error_kind) == ("cancelled", "shutdown")
