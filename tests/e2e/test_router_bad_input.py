"""What does somebody see who sends nonsense, too much, or no key?"""

import json
import socket

import httpx
import openai
import pytest

from router.errors import ApiKeyMissing, HostNotAllowed, PriceUnknown
from router.serve import build
from router.settings import RouterSettings
from router.testing.configured import router_settings
from router.testing.provider import FakeProvider, status
from router.testing.server import RunningRouter

pytestmark = pytest.mark.slow
EASY = [{"role": "user", "content": "hi"}]


@pytest.fixture
def provider():
    with FakeProvider() as running:
        yield running


@pytest.fixture
def router(provider, tmp_path):
    with RunningRouter(router_settings(provider.base_url), tmp_path) as running:
        yield running


def post(router, content, **headers):
    return httpx.post(f"{router.base_url}/chat/completions", content=content, headers=headers, timeout=60)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"not json", None),
        (b"{", None),
        (b"\xff\xfe{}", None),
        (b'{"model": NaN}', None),
        (b"[" * 100_000, None),
        (b"[]", None),
        (b'"text"', None),
        (b"null", None),
        (b"{}", "model"),
        (b'{"model": 5, "messages": []}', "model"),
        (b'{"model": "", "messages": [{}]}', "model"),
        (b'{"model": "auto"}', "messages"),
        (b'{"model": "auto", "messages": "hi"}', "messages"),
        (b'{"model": "auto", "messages": []}', "messages"),
        (b'{"model": "auto", "messages": [5]}', "messages[0]"),
        (b'{"model": "auto", "messages": [{}], "stream": "yes"}', "stream"),
        (b'{"model": "auto", "messages": [{}], "stream": 1}', "stream"),
        (b'{"model": "auto", "messages": [{}], "stream_options": true}', "stream_options"),
        (b'{"model": "auto", "messages": [{}], "metadata": "x"}', "metadata"),
    ],
)
def test_a_body_that_is_no_request_gets_a_400_that_names_the_field(router, provider, body, param):
    answer = post(router, body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert "Traceback" not in answer.text
    assert answer.headers["x-shadow-request-id"]
    assert not provider.seen
    assert router.exchanges() == []


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": None},
        {"role": "user"},
        {"role": 7, "content": 8},
        {"role": "user", "content": [None, 5, "text", {"type": "text"}, {"type": "image_url"}, {"text": 9}]},
        {"role": "assistant", "tool_calls": [None, {"function": "x"}]},
    ],
)
def test_odd_messages_are_the_providers_business_and_pass_through(router, provider, message):
    fields = {"model": "auto", "messages": [message], "tools": 5, "response_format": "x", "max_tokens": "many"}
    provider.always("fast-a", status(200, {"choices": []}))
    provider.always("top-a", status(200, {"choices": []}))
    assert post(router, json.dumps(fields)).status_code == 200
    assert provider.seen[0].fields["messages"] == [message]


def test_an_unknown_model_is_a_404_that_names_the_known_ones(router):
    with openai.OpenAI(base_url=router.base_url, api_key="x") as client, pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-nine\x00", messages=EASY)
    assert caught.value.code == "model_not_found"
    assert "auto, fast, top, fast-a, fast-b, top-a" in caught.value.message


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_twenty_megabytes_get_a_413_and_the_connection_survives(router, chunked):
    body = b'{"model":"auto","messages":[{"role":"user","content":"' + b"x" * 20_000_000 + b'"}]}'
    pieces = (body[start : start + 65536] for start in range(0, len(body), 65536))
    with httpx.Client(base_url=router.base_url, timeout=60) as client:
        answer = client.post("/chat/completions", content=pieces if chunked else body)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "request_too_large"
        after = client.post("/chat/completions", json={"model": "auto", "messages": EASY})
        assert after.status_code == 200


def test_nine_megabytes_are_served(router, provider):
    body = b'{"model":"auto","messages":[{"role":"user","content":"' + b"x" * 9_000_000 + b'"}]}'
    assert post(router, body).status_code == 200
    assert provider.seen[0].body == body.replace(b'"auto"', b'"top-a"')


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/v1/chat/completions", 405, "POST"),
        ("POST", "/v1/models", 405, "GET"),
        ("DELETE", "/metrics", 405, "GET"),
        ("POST", "/v1/embeddings", 404, None),
        ("GET", "/", 404, None),
    ],
)
def test_a_wrong_path_or_method_gets_error_json(router, method, path, status, allow):
    answer = httpx.request(method, router.url + path)
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.headers.get("allow") == allow


def test_health_readiness_and_metrics_answer(router):
    assert httpx.get(f"{router.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{router.url}/readyz").json() == {"status": "ok"}
    assert httpx.head(f"{router.url}/healthz").content == b""
    post(router, json.dumps({"model": "auto", "messages": EASY}))
    post(router, b"nonsense")
    page = httpx.get(f"{router.url}/metrics").text
    assert 'shadow_requests_total{reason="none",tier="fast"} 1.0' in page
    assert 'shadow_attempts_total{model="fast-a",reason="ok",tier="fast"} 1.0' in page
    assert 'shadow_requests_rejected_total{reason="http_400"} 1.0' in page
    assert 'exchanges_lost_total{reason="write_failed"} 0.0' in page
    assert "shadow_policy_version 0.0" in page


def test_a_client_that_hangs_up_inside_its_request_leaves_no_trace(router):
    with socket.create_connection(("127.0.0.1", router.port)) as leaving:
        leaving.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"model":')
    assert post(router, json.dumps({"model": "auto", "messages": EASY})).status_code == 200
    router.stop()
    assert len(router.exchanges()) == 1


def test_keys_are_asked_for_when_they_are_set(provider, tmp_path):
    with RunningRouter(router_settings(provider.base_url), tmp_path, {"SHADOW_API_KEYS": "k-one, k-two"}) as router:
        for given in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic k-one"}):
            answer = post(router, json.dumps({"model": "auto", "messages": EASY}), **given)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "invalid_api_key"
            assert httpx.get(f"{router.base_url}/models", headers=given).status_code == 401
            assert httpx.get(f"{router.url}/metrics", headers=given).status_code == 401
        assert httpx.get(f"{router.url}/healthz").status_code == 200
        for key in ("k-one", "k-two"):
            with openai.OpenAI(base_url=router.base_url, api_key=key) as client:
                client.chat.completions.create(model="auto", messages=EASY)
        ids = [exchange.key_id for exchange in router.exchanges()]
        assert len(set(ids)) == 2
        assert all(key_id and len(key_id) == 12 and "k-" not in key_id for key_id in ids)


def test_listening_beyond_loopback_without_keys_is_refused(provider, tmp_path):
    settings = router_settings(provider.base_url, server={"host": "0.0.0.0"})
    with pytest.raises(HostNotAllowed, match="SHADOW_API_KEYS"):
        build(settings, tmp_path, environ={})
    build(settings, tmp_path, environ={"SHADOW_API_KEYS": "k"})


def test_an_unknown_price_names_the_tier_the_model_and_the_way_out(provider, tmp_path):
    settings = router_settings(provider.base_url).model_dump()
    settings["tiers"][0]["models"][1]["price"] = None
    with pytest.raises(
        PriceUnknown, match=r"tiers\.fast: no price .* 'fast-b' .* add price: .*both 0 for a local model"
    ):
        build(RouterSettings.model_validate(settings), tmp_path, environ={})


def test_a_missing_key_names_its_variable(provider, tmp_path):
    settings = router_settings(provider.base_url, provider={"api_key_env": "NOWHERE_KEY"})
    with pytest.raises(ApiKeyMissing, match="NOWHERE_KEY"):
        build(settings, tmp_path, environ={})
