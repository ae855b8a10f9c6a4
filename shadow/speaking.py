"""How does a part that speaks OpenAI's dialect over httpx talk to a provider that speaks another?

An httpx transport in between: a chat completion goes in, the provider hears its own dialect, a chat completion comes out.
"""

from __future__ import annotations

import time

import httpx
import orjson

from router.dialects.known import ANTHROPIC, OPENAI
from router.dialects.to_openai_answer import to_openai_answer
from router.dialects.translation import translated, translated_body
from router.errors import UpstreamFailed
from router.pool import endpoint
from router.settings import ProviderSettings

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
        async with httpx.AsyncHTTPTransport() as transport:
            response = await transport.handle_async_request(asked)
            body = await response.aread()
        told = {name: value for name, value in response.headers.items() if name.lower() in _TOLD}
        if response.status_code == httpx.codes.OK:
            body = _completion(body, fields["model"])
        else:
            message, code = OPENAI.error_message(body)
            body = OPENAI.error_body(response.status_code, message, code=code)
        return httpx.Response(
            response.status_code, headers={"content-type": "application/json", **told}, content=body, request=request
        )


def _completion(body: bytes, model: str) -> bytes:
    try:
        return to_openai_answer(body, model=model, created=int(time.time()))
    except UpstreamFailed:
        return body  # whoever asked can't read it either, and says so
