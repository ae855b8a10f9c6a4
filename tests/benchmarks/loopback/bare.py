"""What does an ASGI server cost that only passes requests on? The baseline of the inline benchmark.

    python tests/benchmarks/loopback/bare.py UPSTREAM_PORT

Same server and same client as the router, in the same configuration, and nothing in between: no decision, no record, no checks.
Prints its port on the first line.
"""

from __future__ import annotations

import sys
from typing import Any

import aiohttp
import uvicorn
from yarl import URL

from router.serve import bind, server_config


class PassThrough:
    """A plain ASGI application."""

    def __init__(self, upstream_port: int) -> None:
        self._url = URL(f"http://127.0.0.1:{upstream_port}/v1/chat/completions")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
            )
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._session.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        async with self._session.post(
            self._url, data=body, headers={"Content-Type": "application/json", "Accept-Encoding": "identity"}
        ) as response:
            answer = await response.read()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def main() -> None:
    listener = bind("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(server_config(PassThrough(int(sys.argv[1])))).run(sockets=[listener])


if __name__ == "__main__":
    main()
