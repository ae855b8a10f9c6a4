"""Does a router process serve with a model that `shadow train` has just written?"""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from router.testing.configured import router_settings
from router.testing.provider import FakeProvider

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
from router.errors import RouterError
from router.serve import run
from router.settings import RouterSettings

try:
    run(RouterSettings.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
except RouterError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
print(sorted({"torch", "scipy", "sklearn", "shadow", "judges"} & set(sys.modules)))
"""


def outcome(at):
    hard = at % 2
    text = f"prove the lemma number {at}" if hard else f"add the numbers {at}"
    outcomes = {"fast": {"success": 1 - hard, "cost_usd": 0.001}, "top": {"success": 1, "cost_usd": 0.01}}
    return {"id": at, "prompt": text, "outcomes": outcomes}


def start(provider, port, directory, data_dir):
    settings = router_settings(
        provider.base_url,
        server={"port": port},
        routing={"scorer": {"kind": "learned", "model_dir": str(directory)}, "thresholds": {"fast": 0.7}, "band": 0},
    )
    command = [sys.executable, "-c", PROGRAM, settings.model_dump_json(), str(data_dir)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_router_with_a_freshly_trained_model_sends_each_request_where_it_gains(tmp_path, port):
    log, model = tmp_path / "outcomes.jsonl", tmp_path / "model"
    log.write_text("".join(json.dumps(outcome(at)) + "\n" for at in range(200)))
    command = [sys.executable, "-m", "shadow.cli.main", "train", str(log), "--out", str(model)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    with FakeProvider() as provider:
        process = start(provider, port, model, tmp_path / "data")
        try:
            assert any("router.listening" in line for line in process.stderr)
            tiers = {}
            for text in ("prove the lemma number 77", "add the numbers 78"):
                body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
                answer = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, timeout=20)
                assert answer.status_code == 200
                tiers[text.split()[0]] = answer.headers["x-shadow-tier"]
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=20)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
    assert tiers == {"prove": "top", "add": "fast"}
    assert (process.returncode, out.strip()) == (0, "[]")


def test_a_router_without_its_model_says_so_in_one_line(tmp_path, port):
    with FakeProvider() as provider:
        process = start(provider, port, tmp_path / "none", tmp_path / "data")
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert (
        err
        == f"routing.scorer.model_dir: {tmp_path / 'none' / 'model.json'} cannot be read: No such file or directory\n"
    )
