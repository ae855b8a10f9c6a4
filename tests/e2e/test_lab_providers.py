"""Do the simulated providers behave like real ones to real clients, whole and streamed, well and ill?"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import httpx
import numpy as np
import openai
import orjson
import psutil
import pytest

from router.testing.server import RunningRouter
from shadow.lab.audience import Audience
from shadow.lab.config import demo_config
from shadow.lab.errors import ChildError
from shadow.lab.processes import start_child
from shadow.lab.seeds import stream
from shadow.lab.traffic import Traffic
from shadow.lab.world import World
from shadow.settings import parse

pytestmark = pytest.mark.slow
MODELS = ["lab-fast-2026-05", "lab-mid-2026-05", "lab-frontier-2026-05"]


@pytest.fixture(scope="module")
def world():
    return World(1)


@pytest.fixture(scope="module")
def provider():
    child = start_child(["shadow.lab.provider", "--seed", "1", "--latency-scale", "0"])
    yield child
    child.stop()


@pytest.fixture
def http(provider):
    with httpx.Client(base_url=provider.base_url, timeout=10, trust_env=False) as client:
        yield client
        root = provider.base_url.removesuffix("/v1")
        assert client.post(f"{root}/lab/faults", json={"*": {"mode": "none"}}).status_code == 200


@pytest.fixture
def sdk(provider):
    with openai.OpenAI(base_url=provider.base_url, api_key="x", max_retries=0) as client:
        yield client


def set_faults(http, faults):
    answer = http.post(str(http.base_url).removesuffix("/v1/") + "/lab/faults", json=faults)
    assert answer.status_code == 200, answer.text


def ask(http, task, model, **fields):
    return http.post("/chat/completions", json={"model": model, "messages": task.messages, **fields})


def test_the_models_are_listed(sdk):
    assert {model.id for model in sdk.models.list()} == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_a_whole_answer_has_all_that_the_api_promises(sdk, world, model):
    answer = sdk.chat.completions.create(model=model, messages=world.items[0].messages)
    assert answer.model == model
    assert answer.system_fingerprint == "fp_" + model.replace("-", "_")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 2
    assert abs(answer.created - time.time()) < 60


def test_a_stream_says_the_same_kind_of_thing_and_ends_with_the_usage_when_asked(sdk, world):
    task = world.items[0]
    wanted = {"model": MODELS[1], "messages": task.messages, "stream": True}
    chunks = list(sdk.chat.completions.create(**wanted, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens > 0
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1])
    assert all(chunk.usage is None for chunk in sdk.chat.completions.create(**wanted))


def test_n_tools_logprobs_and_image_parts_are_taken_in_stride(sdk, world):
    task = next(task for task in world.items if task.kind == "short_qa")
    parts = [
        {"type": "text", "text": task.user},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    tools = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}]
    answer = sdk.chat.completions.create(
        model=MODELS[2],
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}],
        n=3,
        tools=tools,
        logprobs=True,
    )
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert answer.choices[0].logprobs.content[0].logprob < 0
    assert all(len(choice.message.content) > 1 for choice in answer.choices)


def test_a_token_limit_cuts_the_answer_and_says_so(http, world):
    task = next(task for task in world.items if task.kind == "arithmetic")
    answer = ask(http, task, MODELS[2], max_tokens=5).json()
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 5


def test_unknown_models_and_bodies_get_openai_errors(http, sdk):
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        sdk.chat.completions.create(model="other", messages=[{"role": "user", "content": "hi"}])
    for content in (b"{", b"[]", b'{"model": "x"}'):
        answer = http.post("/chat/completions", content=content)
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert http.get("/nothing").status_code == 404


def test_a_question_the_world_does_not_know_gets_a_harmless_answer(sdk):
    answer = sdk.chat.completions.create(model=MODELS[0], messages=[{"role": "user", "content": "Tell me a joke."}])
    assert "help" in answer.choices[0].message.content


def test_answers_are_right_as_often_as_the_world_says_and_the_same_question_may_get_two_answers(http, world):
    for column, model in enumerate(MODELS):
        items = stream("sample", column).sample(range(len(world)), 400)
        right = [
            world.items[i].check(ask(http, world.items[i], model).json()["choices"][0]["message"]["content"])
            for i in items
        ]
        chances = np.array([world.success_probability(i, column) for i in items])
        assert abs(np.mean(right) - chances.mean()) < 4 * np.sqrt((chances * (1 - chances)).mean() / 400)
    doubtful = min(range(len(world)), key=lambda i: abs(world.success_probability(i, 0) - 0.5))
    task = world.items[doubtful]
    again = [task.check(ask(http, task, MODELS[0]).json()["choices"][0]["message"]["content"]) for _ in range(40)]
    assert set(again) == {True, False}


def test_a_provider_that_is_down_closes_the_connection_without_an_answer(http, world):
    set_faults(http, {MODELS[0]: {"mode": "down"}})
    with pytest.raises(httpx.RemoteProtocolError):
        ask(http, world.items[0], MODELS[0])
    assert ask(http, world.items[0], MODELS[1]).status_code == 200


def test_a_hanging_provider_says_nothing_and_closes_in_the_end(http, world):
    set_faults(http, {"*": {"mode": "hang", "seconds": 60}})
    with pytest.raises(httpx.ReadTimeout):
        http.post("/chat/completions", json={"model": MODELS[0], "messages": world.items[0].messages}, timeout=0.3)
    set_faults(http, {"*": {"mode": "hang", "seconds": 0.2}})
    with pytest.raises(httpx.RemoteProtocolError):
        ask(http, world.items[0], MODELS[0])


@pytest.mark.parametrize("streamed", [False, True])
def test_a_cut_answer_breaks_off_after_its_beginning(http, world, streamed):
    set_faults(http, {"*": {"mode": "cut"}})
    body = {"model": MODELS[1], "messages": world.items[0].messages, "stream": streamed}
    received = []

    def read_all():
        with http.stream("POST", "/chat/completions", json=body) as response:
            received.append(response.status_code)
            received.extend(response.iter_raw())

    with pytest.raises(httpx.RemoteProtocolError):
        read_all()
    assert received[0] == 200
    assert b"[DONE]" not in b"".join(received[1:]) != b""


def test_errors_come_at_their_rate_with_status_and_retry_after(http, world):
    set_faults(http, {MODELS[0]: {"mode": "http429", "rate": 1.0}, MODELS[1]: {"mode": "error500", "rate": 0.5}})
    limited = ask(http, world.items[0], MODELS[0])
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
    assert limited.json()["error"]["code"] == "rate_limit_exceeded"
    counts = Counter(ask(http, world.items[0], MODELS[1]).status_code for _ in range(200))
    assert set(counts) == {200, 500}
    assert 60 < counts[500] < 140


def test_a_wrong_fault_is_a_400_that_says_what_is_wrong(http):
    root = str(http.base_url).removesuffix("/v1/")
    answer = http.post(f"{root}/lab/faults", json={"other": {"mode": "down"}})
    assert answer.status_code == 400
    assert "unknown model other" in answer.json()["error"]["message"]
    assert http.post(f"{root}/lab/faults", content=b"{").status_code == 400


def test_two_runs_with_one_seed_give_the_same_answers_whatever_the_order_of_calls(world):
    texts = []
    for order in (range(40), reversed(range(40))):
        child = start_child(["shadow.lab.provider", "--seed", "1", "--latency-scale", "0"])
        try:
            with httpx.Client(base_url=child.base_url, trust_env=False) as http:
                answers = {i: ask(http, world.items[i], MODELS[0]).json() for i in order}
        finally:
            child.stop()
        texts.append({i: answer["choices"][0]["message"]["content"] for i, answer in answers.items()})
    assert texts[0] == texts[1]


async def test_traffic_of_both_clients_is_answered_and_checked_against_the_truth(provider, world):
    seen = []
    audience = Audience(world=world, seed=3, rate=120, sdk_share=0.1)
    traffic = Traffic(audience, provider.base_url, model=MODELS[1], on_served=seen.append)
    began = time.monotonic()
    found = await traffic.run(2.5)
    assert 2.5 <= time.monotonic() - began < 10
    assert found.failures == {}
    assert 220 <= found.answered == len(seen) <= 390
    assert {(s.streamed, s.by_sdk) for s in seen} == {(a, b) for a in (True, False) for b in (True, False)}
    chances = np.array([world.success_probability(s.item, 1) for s in seen])
    spread = np.sqrt((chances * (1 - chances)).mean() / len(seen))
    assert abs(np.mean([s.truth for s in seen]) - chances.mean()) < 4 * spread
    assert found.p50_seconds <= found.p99_seconds < 5


async def test_traffic_never_stops_on_failures_and_names_their_reasons(provider, world, http):
    set_faults(http, {MODELS[0]: {"mode": "cut", "rate": 0.4}})
    found = await Traffic(Audience(world=world, rate=200), provider.base_url, model=MODELS[0]).run(requests=200)
    assert found.sent == 200
    assert 40 < found.failures.pop("cut") < 120
    assert set(found.failures) <= {"connect"}  # a stale pooled connection: the client met the closing one
    set_faults(http, {MODELS[0]: {"mode": "down"}, MODELS[1]: {"mode": "http429"}, MODELS[2]: {"mode": "hang"}})
    reasons = {MODELS[0]: "connect", MODELS[1]: "http_429", MODELS[2]: "timeout", "other": "http_404"}
    for model, reason in reasons.items():
        audience = Audience(world=world, rate=500, sdk_share=0.5)
        found = await Traffic(audience, provider.base_url, model=model, timeout_seconds=0.5).run(requests=20)
        assert found.failures == {reason: 20}


async def test_through_the_router_every_tier_serves_and_every_record_agrees_with_the_exchange(
    provider, world, tmp_path
):
    settings = parse(demo_config(provider_url=provider.base_url, data_dir=tmp_path), source="demo")
    with RunningRouter(settings, tmp_path) as router:
        traffic = Traffic(Audience(world=world, rate=300, sdk_share=0.1), router.base_url)
        found = await traffic.run(requests=400)
        await asyncio.to_thread(router.stop)
        exchanges = {exchange.request_id: exchange for exchange in router.exchanges()}
    assert (found.failures, found.answered) == ({}, 400)
    assert len(exchanges) == 400
    shares = {tier: n / 400 for tier, (_, n) in found.right_by_tier.items()}
    assert 0.58 < shares["fast"] < 0.80
    assert 0.12 < shares["mid"] < 0.33
    assert 0.03 < shares["frontier"] < 0.18
    for served in traffic.served:
        exchange = exchanges[served.request_id]
        assert (exchange.served_tier, exchange.served_model) == (served.tier, served.model)
        assert exchange.hints.user == served.user
        assert world.truth(orjson.loads(exchange.request_body)["messages"], exchange.completion) is served.truth
        assert served.cost_usd > 0
        assert served.streamed or served.cost_usd == exchange.cost_usd


async def test_traffic_at_a_port_where_nobody_listens_counts_failed_connections(world):
    found = await Traffic(Audience(world=world, rate=200), "http://127.0.0.1:9/v1").run(requests=10)
    assert found.failures == {"connect": 10}


async def test_traffic_can_be_stopped_and_bounds_what_is_in_flight(provider, world, http):
    set_faults(http, {"*": {"mode": "hang", "seconds": 0.3}})
    tenth = asyncio.Event()
    traffic = Traffic(
        Audience(world=world, rate=300),
        provider.base_url,
        model=MODELS[0],
        max_in_flight=5,
        on_served=lambda _: tenth.set() if len(traffic.served) >= 10 else None,
    )
    async with asyncio.timeout(20):
        running = asyncio.create_task(traffic.run())
        await tenth.wait()
        traffic.stop()
        found = await running
    assert found.delayed > 0
    assert found.sent == len(traffic.served) < 300


async def test_one_provider_process_sustains_several_hundred_requests_a_second(provider, world):
    traffic = Traffic(
        Audience(world=world, rate=5000, sdk_share=0), provider.base_url, model=MODELS[0], max_in_flight=32
    )
    found = await traffic.run(requests=1500)
    assert found.failures == {}
    assert found.answered / found.seconds > 200


async def test_a_provider_ends_within_seconds_and_quietly_even_with_a_call_hanging(world, capfd):
    child = start_child(["shadow.lab.provider", "--faults", '{"*": {"mode": "hang"}}'])
    root = child.base_url.removesuffix("/v1")
    body = {"model": MODELS[0], "messages": world.items[0].messages}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        hanging = asyncio.create_task(http.post(f"{child.base_url}/chat/completions", json=body))
        async with asyncio.timeout(10):
            while not (await http.get(f"{root}/healthz")).json()["calls"]:
                continue  # each question gives the hanging call time to arrive
        began = time.monotonic()
        await asyncio.to_thread(child.stop)
        assert time.monotonic() - began < 4
        with pytest.raises(httpx.RemoteProtocolError):
            await hanging
    assert "Traceback" not in capfd.readouterr().err


def test_a_provider_does_not_survive_a_killed_parent():
    code = (
        "import sys, time\n"
        "from shadow.lab.processes import start_child\n"
        "child = start_child(['shadow.lab.provider'])\n"
        "sys.stdout.write(f'{child.process.pid}\\n'); sys.stdout.flush()\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        os.kill(parent.pid, signal.SIGKILL)
    gone, alive = psutil.wait_procs([child], timeout=5)
    assert (len(gone), alive) == (1, []) or child.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--items", "3"], "at least 6 items"),
        (["--faults", "{"], "unexpected end of data"),
        (["--faults", '{"x": {"mode": "down"}}'], "unknown model x"),
    ],
)
def test_a_wrong_argument_is_one_clear_line_and_exit_code_2(arguments, complaint):
    run = subprocess.run(
        [sys.executable, "-m", "shadow.lab.provider", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 2
    assert complaint in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_a_taken_port_is_one_clear_line(provider):
    port = str(provider.facts["port"])
    run = subprocess.run(
        [sys.executable, "-m", "shadow.lab.provider", "--port", port],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, len(run.stderr.splitlines())) == (2, 1)
    assert "in use" in run.stderr


def test_a_child_that_ends_before_it_is_ready_is_an_error_that_says_so():
    with pytest.raises(ChildError, match="exit code 2 before it was ready"):
        start_child(["shadow.lab.provider", "--items", "1"])


def test_the_ready_line_is_json_with_the_port_and_the_models(provider):
    assert provider.facts["models"] == MODELS
    assert provider.base_url.endswith(f":{provider.facts['port']}/v1")
