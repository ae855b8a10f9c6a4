"""Is a provider that was down found to be back without spending a client's request on it?"""

import time

import httpx
import pytest

from router.testing.completions import MODEL_SUFFIX
from router.testing.configured import router_settings
from router.testing.provider import FakeProvider, status
from router.testing.server import RunningRouter

pytestmark = pytest.mark.slow
EASY = [{"role": "user", "content": "What is the capital of France?"}]
CHECK = "None"  # a GET names no model


@pytest.fixture
def provider():
    with FakeProvider() as running:
        yield running


def ask(router):
    answer = httpx.post(f"{router.base_url}/chat/completions", json={"model": "auto", "messages": EASY})
    return answer.headers["x-shadow-model"].removesuffix(MODEL_SUFFIX)


def until(true):
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline


def test_a_health_check_comes_before_the_next_request(provider, tmp_path):
    settings = router_settings(
        provider.base_url,
        provider={"max_retries": 0, "health_path": "/models", "health_interval_seconds": 0.05},
        routing={"breaker": {"failures": 1, "cooldown_seconds": 0.1}},
    )
    provider.always("fast-a", status(503))
    provider.always(CHECK, status(503))
    with RunningRouter(settings, tmp_path) as router:
        assert ask(router) == "fast-b"
        until(lambda: ask(router) == "fast-b" and provider.models().count(CHECK) >= 3)
        assert provider.models().count("fast-a") == 1  # the checks failed, so no request was spent
        provider.heal()
        until(lambda: ask(router) == "fast-a")
        checks = provider.models().count(CHECK)
        # A provider that is well is not asked about it, for as long as several checks would have taken.
        began = time.monotonic()
        until(lambda: ask(router) == "fast-a" and time.monotonic() > began + 0.3)
        assert provider.models().count(CHECK) <= checks + 1


def test_without_a_health_path_nothing_but_requests_is_sent(provider, tmp_path):
    settings = router_settings(
        provider.base_url, provider={"max_retries": 0}, routing={"breaker": {"failures": 1, "cooldown_seconds": 0.1}}
    )
    provider.then("fast-a", status(503))
    with RunningRouter(settings, tmp_path) as router:
        until(lambda: ask(router) == "fast-a" and provider.models().count("fast-a") >= 2)
    assert CHECK not in provider.models()
