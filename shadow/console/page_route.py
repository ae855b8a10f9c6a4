"""What does a person see where a page can't be read from the store? The same page everywhere, in place of an error."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from shadow.errors import StoreError


def page_route(unreadable: Callable[[StoreError], Response]) -> type[APIRoute]:
    """A class of routes whose StoreError becomes a page."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handled(request: Request) -> Response:
                try:
                    return await handle(request)
                except StoreError as exc:
                    return unreadable(exc)

            return handled

    return PageRoute
