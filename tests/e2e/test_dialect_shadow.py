"""Do the requests of an Anthropic client get as far as everybody's: sampled, mirrored, judged?"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest

from shadow.testing import Product, running_product

pytestmark = pytest.mark.slow
Ask = Callable[[str], list[tuple[Any, ...]]]
REQUESTS = 8


@pytest.fixture
def product() -> Iterator[Product]:
    """The product, with nearly every request sampled."""
    with running_product({"sampling": {"up": 0.9, "down": 0.05, "control_top": 0.9}}) as running:
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
