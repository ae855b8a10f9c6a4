"""Whose request is this, and may they? A bearer token, or the cookie of a login; without tokens everybody is the local admin."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shadow.access.acting import os_user
from shadow.access.identity import Identity, Role, acting_as
from shadow.console.answers import error_answer
from shadow.console.failed_logins import FailedLogins
from shadow.console.route_roles import needed_role
from shadow.errors import StoreError
from shadow.store import audit, tokens
from shadow.store.console_session import writing
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.logins import logged_in

COOKIE = "shadow_session"
#: A page that says why somebody may not see it: status, title, text.
RefusalPage = Callable[[int, str, str], Response]


class Access:
    """ASGI middleware: lets a request through as somebody, or answers 401, 403 or 429."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        engine: AsyncEngine,
        required: bool,
        failures: FailedLogins,
        refusal_page: RefusalPage,
    ) -> None:
        self._app = app
        self._engine = engine
        self._required = required
        self._failures = failures
        self._refusal_page = refusal_page
        self._local = Identity(name=os_user() or "local", role="admin", token_id=None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not self._required:
            with acting_as(self._local):
                await self._app(scope, receive, send)
            return
        needed = needed_role(scope["method"], scope["path"])
        if needed is None:
            await self._app(scope, receive, send)
            return
        try:
            found = await self._identify(scope)
        except StoreError as exc:
            found = self._unreadable(scope, exc)
        if isinstance(found, Identity):
            if found.may(needed):
                with acting_as(found):
                    await self._app(scope, receive, send)
                return
            found = self._forbidden(scope, found, needed)
        await found(scope, receive, send)

    async def _identify(self, scope: Scope) -> Identity | Response:
        request = Request(scope)
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._bearer(scope, secret.strip())
        cookie = request.cookies.get(COOKIE)
        if cookie:
            async with writing(self._engine) as connection:
                found = await logged_in(connection, cookie, now=utc_now())
            if found is not None:
                return found
        return self._unknown(scope)

    async def _bearer(self, scope: Scope, secret: str) -> Identity | Response:
        async with writing(self._engine) as connection:
            found = await tokens.authenticate(connection, secret, now=utc_now())
        if found is not None:
            return found
        wait = await note_failure(self._engine, self._failures, scope, secret, how="bearer")
        return too_many(wait) if wait else self._unknown(scope, "this token is not valid: wrong, expired or revoked")

    def _unknown(self, scope: Scope, said: str = "a token is needed: Authorization: Bearer <token>") -> Response:
        if _is_api(scope):
            answer = error_answer(401, "unauthenticated", said)
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        query = scope["query_string"].decode("latin-1")
        there = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?next={quote(there, safe='')}", status_code=303)

    def _forbidden(self, scope: Scope, who: Identity, needed: Role) -> Response:
        said = f"this needs the role {needed}; {who.name} is {who.role}"
        if _is_api(scope):
            return error_answer(403, "forbidden", said)
        return self._refusal_page(403, "Not for this role", said[0].upper() + said[1:] + ".")

    def _unreadable(self, scope: Scope, exc: StoreError) -> Response:
        if _is_api(scope):
            return error_answer(503, "store_unavailable", str(exc))
        return self._refusal_page(503, "The store cannot be read", f"{exc}. So nobody can be recognised.")


async def note_failure(engine: AsyncEngine, failures: FailedLogins, scope: Scope, secret: str, *, how: str) -> int:
    """Count a wrong token and put it into the audit, without the token; the seconds that the address has to wait by now."""
    now, address = utc_now(), client_of(scope)
    waited = failures.wait_seconds(address, now)
    if failures.failed(address, now):
        # The public part tells a holder whose token has expired from somebody who guesses.
        details = {"address": address, "how": how, "begins_with": tokens.prefix_of(secret)}
        async with writing(engine) as connection:
            await audit.record(
                connection, actor="unknown", action="login.failed", subject="console", details=details, now=now
            )
    return waited


def too_many(wait_seconds: int) -> Response:
    """429."""
    answer = error_answer(429, "too_many_failures", f"too many wrong tokens: try again in {wait_seconds} s")
    answer.headers["Retry-After"] = str(wait_seconds)
    return answer


def client_of(scope: Scope) -> str:
    """The address that the request came from, as the server or a proxy on this machine says."""
    return scope["client"][0] if scope.get("client") else "unknown"


def is_https(scope: Scope) -> bool:
    """Whether the browser speaks TLS, here or to a proxy before us."""
    return scope["scheme"] == "https" or Headers(scope=scope).get("x-forwarded-proto", "").lower() == "https"


def _is_api(scope: Scope) -> bool:
    return str(scope["path"]).startswith("/api/")
