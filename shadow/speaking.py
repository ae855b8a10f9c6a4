"""How does a part that speaks OpenAI's dialect over httpx talk to a provider that speaks another?

An httpx transport in between: a chat completion goes in, the provider hears its own dialect, a chat completion comes out.
"""

from __future__ import annotations

import ssl
import time
from functools import lru_cache

import httpx
import orjson

from router.dialects.known import ANTHROPIC, OPENAI
from router.dialects.to_openai_answer import to_openai_answer
from router.dialects.translation import translated, translated_body
from router.errors import UpstreamFailed
from router.pool import endpoint
from router.settings import ProviderSettings

_MAX_BODY_BYTES = 4_000_000
_TOLD = frozenset({"retry-after", "retry-after-ms"})


class AnthropicTransport(httpx.AsyncBaseTransport):
    """Takes whole chat completions, for one provider of kind `anthropic`. Connects anew for each; nothing stays open."""

    def __init__(self, provider: ProviderSettings, api_key: str | None) -> None:
        self._provider = provider
        self._api_key = api_key

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fields = orjson.loads(await request.aread())
        url = endpoint(self._provider)
        content = translated_body(
            translated(fields, ANTHROPIC.name),
            dialect=ANTHROPIC.name,
            model=fields["model"],
            url=url,
            default_max_tokens=self._provider.default_max_tokens,
        )
        headers = {"content-type": "application/json", **ANTHROPIC.key_headers(self._api_key)}
        asked = httpx.Request("POST", url, content=content, headers=headers, extensions=request.extensions)
        async with httpx.AsyncHTTPTransport(verify=_tls(), trust_env=False) as transport:
            response = await transport.handle_async_request(asked)
            body = await _bounded(response)
        told = {name: value for name, value in response.headers.items() if name.lower() in _TOLD}
        if response.status_code == httpx.codes.OK:
            body = _completion(body, fields["model"])
        else:
            message, code = OPENAI.error_message(body)
            body = OPENAI.error_body(response.status_code, message, code=code)
        return httpx.Response(
            response.status_code, headers={"content-type": "application/json", **told}, content=body, request=request
        )


async def _bounded(response: httpx.Response) -> bytes:
    """The body. Raises: httpx.ReadError where it does not end within what an answer can be long."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            raise httpx.ReadError("the reply does not end")
    return bytes(body)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Made once: reading the certificates takes longer than all the rest of a call."""
    return httpx.create_ssl_context(trust_env=False)


def _completion(body: bytes, model: str) -> bytes:
    try:
        return to_openai_answer(body, model=model, created=int(time.time()))
    except UpstreamFailed:
        return body  # whoever asked can't read it either, and says so
