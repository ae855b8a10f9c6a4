"""Is the same money in the header, in the record and in the metrics, whatever failed on the way?"""

import re
from decimal import Decimal

import httpx
import openai
import pytest

from router.testing.configured import router_settings
from router.testing.provider import FakeProvider, answering, status
from router.testing.server import RunningRouter

pytestmark = pytest.mark.slow
EASY = [{"role": "user", "content": "What is the capital of France?"}]
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "city",
        "schema": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
    },
}
COUNTED = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


@pytest.fixture
def provider():
    with FakeProvider() as running:
        yield running


@pytest.fixture
def router(provider, tmp_path):
    with RunningRouter(router_settings(provider.base_url), tmp_path) as running:
        yield running


def metric_usd(router):
    page = httpx.get(f"{router.url}/metrics", trust_env=False).text
    return sum(float(value) for value in re.findall(r"^shadow_cost_usd_total\{[^}]*\} (\S+)$", page, re.MULTILINE))


def ask(router, **more):
    with openai.OpenAI(base_url=router.base_url, api_key="unused", max_retries=0) as client:
        return client.chat.completions.with_raw_response.create(model="auto", messages=EASY, **more)


def test_an_answer_that_was_billed_and_not_used_is_in_the_header_the_record_and_the_metrics(router, provider):
    provider.always("fast-a", answering("no JSON at all", COUNTED))
    provider.always("fast-b", answering("no JSON either", COUNTED))
    provider.always("top-a", answering('{"city": "Paris"}', COUNTED))
    raw = ask(router, response_format=SCHEMA)
    [exchange] = router.exchanges()
    assert raw.headers["x-shadow-tier"] == "top"
    assert len(exchange.attempts) >= 2
    assert all(attempt.cost_usd == Decimal("0.0012") for attempt in exchange.attempts)
    assert Decimal(raw.headers["x-shadow-cost-usd"]) == exchange.cost_usd
    assert exchange.cost_usd == sum(attempt.cost_usd for attempt in exchange.attempts)
    assert metric_usd(router) == pytest.approx(float(exchange.cost_usd), rel=1e-12)


def test_the_sum_of_many_records_is_what_the_metrics_say(router, provider):
    for number in range(12):
        provider.always("fast-a", answering("Paris.", {**COUNTED, "prompt_tokens": 7 + number}))
        body = {"model": "auto", "messages": EASY, "stream": number % 2 == 0}
        httpx.post(f"{router.base_url}/chat/completions", json=body, trust_env=False).raise_for_status()
    provider.always("fast-a", status(503))
    ask(router)
    spent = sum(exchange.cost_usd for exchange in router.exchanges())
    assert spent > 0
    assert metric_usd(router) == pytest.approx(float(spent), rel=1e-9)


def test_a_stream_names_an_estimate_before_it_is_known(router):
    body = {"model": "auto", "messages": EASY, "stream": True, "max_completion_tokens": 50}
    raw = httpx.post(f"{router.base_url}/chat/completions", json=body, trust_env=False)
    estimate = Decimal(raw.headers["x-shadow-cost-usd"])
    [exchange] = router.exchanges()
    assert estimate >= exchange.cost_usd > 0
