"""Do requests in either dialect get as far as everybody's: sampled, mirrored, judged, by language models in either dialect?"""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import anthropic
import httpx
import pytest

from router.testing.provider import Call, FakeProvider, answering
from shadow.testing import Product, running_product

pytestmark = pytest.mark.slow
Ask = Callable[[str], list[tuple[Any, ...]]]
REQUESTS = 8
#: Each call of a judge's model: 1,000 tokens in, 20 out, at 1 and 5 USD per million.
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 20, "total_tokens": 1_020}
CALL_USD = Decimal("0.0011")


async def verdict(call: Call) -> None:
    """Says that the answer is fine, in the form that the prompt asks for."""
    pairwise = "VERDICT: FIRST" in json.dumps(call.seen.fields["messages"])
    await answering("Fine.\nVERDICT: " + ("EQUAL" if pairwise else "ACCEPT 0.90"), USAGE)(call)


@pytest.fixture(scope="module")
def judge() -> Iterator[FakeProvider]:
    with FakeProvider() as provider:
        for model in ("claude-judge", "qwen-judge"):
            provider.always(model, verdict)
        yield provider


@pytest.fixture(scope="module")
def product(judge: FakeProvider) -> Iterator[Product]:
    """The product, with nearly every request sampled and two language models among the judges."""
    price = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 5}
    changes = {
        "providers": {
            "messages": {"kind": "anthropic", "base_url": judge.base_url},
            "chat": {"kind": "openai", "base_url": judge.base_url},
        },
        "sampling": {"up": 0.9, "down": 0.05, "control_top": 0.9},
        "judges": {
            "panel": ["structured", "rubric", "pairwise"],
            "models": [
                {"provider": "messages", "model": "claude-judge", **price},
                {"provider": "chat", "model": "qwen-judge", **price},
            ],
        },
    }
    with running_product(changes) as running:
        yield running


def test_an_anthropic_clients_requests_are_mirrored_and_judged(product: Product, stored: Ask) -> None:
    url = product.base_url.removesuffix("/v1")
    with anthropic.Anthropic(base_url=url, api_key="unused") as client:
        for number in range(REQUESTS):
            ask = {"role": "user", "content": f"What is {number} + 25?"}
            with client.messages.stream(model="fast", max_tokens=100, system="Be exact.", messages=[ask]) as stream:
                assert stream.get_final_message().usage.output_tokens > 0
    query = (
        "SELECT s.request_id, t.request_body, t.prompt FROM samples s JOIN sample_texts t USING (request_id)"
        " WHERE t.dialect = 'anthropic.messages' AND s.state IN ('judged', 'abstained')"
        " AND EXISTS (SELECT FROM answers a WHERE a.request_id = s.request_id AND NOT a.served AND a.outcome = 'ok')"
    )
    product.until(lambda: bool(stored(query)), 90)
    _, body, prompt = stored(query)[0]
    assert json.loads(body)["system"] == "Be exact."
    assert prompt.startswith("What is ")


def test_verdicts_of_language_models_arrive_with_their_cost_in_a_ledger_of_their_own(
    product: Product, stored: Ask
) -> None:
    with httpx.Client(base_url=product.base_url, trust_env=False) as client:
        for number in range(REQUESTS):
            ask = {"role": "user", "content": f"Tell me of river number {number} and of the towns that lie on it."}
            client.post("/chat/completions", json={"model": "fast", "messages": [ask]}).raise_for_status()
    said = (
        "SELECT j.judge, j.verdict, j.score, j.cost_usd, j.rationale FROM judgments j JOIN sample_texts t USING (request_id)"
        " WHERE t.prompt LIKE 'Tell me of river%' AND j.judge LIKE '{}@%' AND j.cost_usd > 0"
    )
    product.until(lambda: bool(stored(said.format("rubric"))), 90)
    judge, verdict, score, cost, rationale = stored(said.format("rubric"))[0]
    assert (judge, verdict, score, cost) == ("rubric@3", "accept", 0.9, 2 * CALL_USD)
    assert rationale.splitlines() == ["claude-judge: accept. Fine.", "qwen-judge: accept. Fine."]
    for *_, cost, _ in stored(said.format("pairwise")):
        assert cost == 4 * CALL_USD
    settled = "SELECT spent_usd, reserved_usd FROM budget_days WHERE purpose = 'judge'"
    product.until(lambda: stored(settled)[0][1] == 0)
    paid = stored("SELECT sum(cost_usd) FROM judgments")[0][0]
    assert stored(settled)[0][0] == paid > 0
    users = stored("SELECT sum(cost_usd) FROM rollup_spend WHERE dimension = 'feature'")[0][0]
    clients = stored("SELECT sum(cost_usd) FROM exchanges")[0][0]
    assert users == clients, "what judging cost is nobody's request"
