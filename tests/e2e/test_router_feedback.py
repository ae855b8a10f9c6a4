"""Can a client rate an answer, and get a better one, with nothing but the router?"""

import uuid

import httpx
import openai
import pytest

from router.testing.completions import MODEL_SUFFIX
from router.testing.configured import router_settings
from router.testing.provider import FakeProvider, answering
from router.testing.server import RunningRouter

pytestmark = pytest.mark.slow
EASY = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture
def provider():
    with FakeProvider() as running:
        yield running


@pytest.fixture
def router(provider, tmp_path):
    with RunningRouter(router_settings(provider.base_url), tmp_path) as running:
        yield running


def ask(router, key="unused", **more):
    """An answer as the official client gets it: (completion, request id, tier)."""
    with openai.OpenAI(base_url=router.base_url, api_key=key, max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(model="auto", messages=EASY, **more)
        return raw.parse(), raw.headers["x-shadow-request-id"], raw.headers["x-shadow-tier"]


def say(router, key="unused", **fields):
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{router.base_url}/feedback", json=fields, headers=headers, trust_env=False)


def test_a_rating_is_confirmed_and_on_disk_at_once(router):
    _, request_id, _ = ask(router)
    answer = say(router, request_id=request_id, rating="down", comment="It is Lyon.")
    assert (answer.status_code, answer.json()) == (
        202,
        {"request_id": request_id, "rating": "down", "recorded": True},
    )
    [feedback] = router.feedback()
    assert (feedback.request_id, feedback.rating, feedback.comment) == (request_id, "down", "It is Lyon.")
    metrics = httpx.get(f"{router.url}/metrics", trust_env=False).text
    assert 'shadow_feedback_total{reason="down",tier="fast"} 1.0' in metrics


def test_a_retry_is_answered_by_the_next_tier_and_recorded_as_an_exchange_of_its_own(router, provider):
    _, request_id, tier = ask(router, metadata={"x-shadow-user": "mia"})
    assert tier == "fast"
    provider.always("top-a", answering("Paris, on the Seine."))
    with openai.OpenAI(base_url=router.base_url, api_key="unused", max_retries=0) as client:
        better = client.post(
            "/feedback",
            body={"request_id": request_id, "rating": "down", "retry": True},
            cast_to=openai.types.chat.ChatCompletion,
        )
    assert better.choices[0].message.content == "Paris, on the Seine."
    assert better.model == "top-a" + MODEL_SUFFIX
    first, again = router.exchanges()
    assert (again.served_tier, again.reason, again.decision.chosen) == ("top", "feedback", "top")
    assert again.extra["retry_of"] == first.request_id == request_id
    assert again.request_body == first.request_body
    assert again.hints.user == "mia"
    assert again.cost_usd > 0


def test_a_retry_of_a_streamed_request_is_streamed(router, provider):
    provider.always("top-a", answering("Paris, France."))
    with openai.OpenAI(base_url=router.base_url, api_key="unused", max_retries=0) as client:
        with client.chat.completions.with_streaming_response.create(model="auto", messages=EASY, stream=True) as stream:
            request_id = stream.headers["x-shadow-request-id"]
            stream.read()
        better = client.post(
            "/feedback",
            body={"request_id": request_id, "retry": True},
            cast_to=openai.types.chat.ChatCompletion,
            stream=True,
            stream_cls=openai.Stream[openai.types.chat.ChatCompletionChunk],
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in better if chunk.choices)
    assert text == "Paris, France."
    [feedback] = router.feedback()
    assert (feedback.rating, feedback.retry) == (None, True)


def test_who_was_served_by_the_top_tier_cannot_climb_further(router):
    _, request_id, _ = ask(router)
    again = say(router, request_id=request_id, rating="down", retry=True)
    assert again.headers["x-shadow-tier"] == "top"
    refused = say(router, request_id=again.headers["x-shadow-request-id"], retry=True)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "no_higher_tier")
    assert len(router.feedback()) == 2


def test_a_request_that_is_not_remembered_is_rated_but_not_answered_again(router):
    unknown = str(uuid.uuid4())
    assert say(router, request_id=unknown, rating="up").status_code == 202
    gone = say(router, request_id=unknown, rating="down", retry=True)
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "request_forgotten")
    assert "send it again" in gone.json()["error"]["message"]
    assert [f.rating for f in router.feedback()] == ["up", "down"]


@pytest.mark.parametrize("kept", [{"seconds": 0}, {"megabytes": 0}])
def test_retries_can_be_switched_off(provider, tmp_path, kept):
    settings = router_settings(provider.base_url, routing={"feedback_retry": kept})
    with RunningRouter(settings, tmp_path) as router:
        _, request_id, _ = ask(router)
        assert say(router, request_id=request_id, retry=True).status_code == 410


def test_another_key_may_neither_rate_nor_repeat_a_request(provider, tmp_path):
    with RunningRouter(router_settings(provider.base_url), tmp_path, {"SHADOW_API_KEYS": "k-one,k-two"}) as router:
        _, request_id, _ = ask(router, key="k-one")
        refused = say(router, key="k-two", request_id=request_id, rating="down", retry=True)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_your_request")
        assert say(router, key="nobody", request_id=request_id, rating="up").status_code == 401
        assert router.feedback() == []
        assert say(router, key="k-one", request_id=request_id, rating="up").status_code == 202
        assert router.feedback()[0].key_id == router.exchanges()[0].key_id


def test_bad_feedback_is_refused_in_the_shape_that_clients_know(router):
    bad = say(router, request_id="7", rating="up")
    assert (bad.status_code, bad.json()["error"]["param"]) == (400, "request_id")
    large = say(router, request_id=str(uuid.uuid4()), rating="up", comment="x" * 70_000)
    assert (large.status_code, large.json()["error"]["code"]) == (413, "request_too_large")
    wrong_method = httpx.get(f"{router.base_url}/feedback", trust_env=False)
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "POST")
    assert router.feedback() == []
