"""Does a whole router ask its small model, serve on when it is dead, and record who decided and what that cost?"""

import json
from decimal import Decimal

import httpx
import pytest

from router.contracts import SCORER_TIER
from router.testing.configured import router_settings
from router.testing.provider import FakeProvider, answering, silence
from router.testing.server import RunningRouter

pytestmark = pytest.mark.slow


def saying(fast):
    async def behave(call):
        nonce = call.seen.fields["messages"][-1]["content"].split("<<<")[1].split("\n")[0]
        await answering(json.dumps({"mark": nonce, "fast": fast, "top": 0.9}))(call)

    return behave


def ask(router, model="auto"):
    body = {"model": model, "messages": [{"role": "user", "content": "What is the capital of France?"}]}
    done = httpx.post(f"{router.base_url}/chat/completions", json=body, timeout=10, trust_env=False)
    assert done.status_code == 200
    return done.headers


@pytest.fixture
def provider():
    with FakeProvider() as provider:
        yield provider


@pytest.fixture
def router(provider, tmp_path):
    price = {"input_usd_per_mtok": 100, "output_usd_per_mtok": 100}
    scorer = {"kind": "llm", "provider": "p", "model": "small", "price": price, "deadline_ms": 300}
    settings = router_settings(provider.base_url, routing={"scorer": scorer, "breaker": {"failures": 2}})
    with RunningRouter(settings, tmp_path) as router:
        yield router


def test_its_word_decides_and_its_cost_counts(provider, router):
    provider.always("small", saying(0.2))
    headers = ask(router)
    assert headers["x-shadow-tier"] == "top"
    assert float(headers["x-shadow-confidence"]) == 1.0
    provider.always("small", saying(0.89))
    assert ask(router)["x-shadow-tier"] == "fast"
    router.stop()
    exchange = router.exchanges()[1]
    assert exchange.extra["scorer"] == "llm@1"
    assert exchange.decision.scores["fast"] == pytest.approx(0.99)
    assert [attempt.tier for attempt in exchange.attempts] == [SCORER_TIER, "fast"]
    assert exchange.cost_usd == sum(attempt.cost_usd for attempt in exchange.attempts)
    assert exchange.attempts[0].cost_usd == Decimal("0.0015")


def test_a_dead_scorer_costs_two_deadlines_and_no_request(provider, router):
    provider.always("small", silence())
    for _ in range(4):
        assert ask(router)["x-shadow-tier"] == "fast"
    assert provider.models().count("small") == 2
    router.stop()
    reasons = [exchange.extra["scorer_fallback"] for exchange in router.exchanges()]
    assert reasons == ["timeout", "timeout", "breaker_open", "breaker_open"]
    assert {exchange.extra["scorer"] for exchange in router.exchanges()} == {"heuristic"}


def test_nobody_is_asked_about_a_tier_that_the_client_has_chosen(provider, router):
    provider.always("small", saying(0.2))
    assert ask(router, "fast")["x-shadow-tier"] == "fast"
    assert "small" not in provider.models()
