"""How does a person log in with a browser? `/login` takes a token once; from then on a cookie stands for it, till it expires."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from shadow.access.identity import Role, current
from shadow.console.access import COOKIE, client_of, is_https, note_failure, too_many
from shadow.console.answers import ApiError, ErrorBody
from shadow.console.failed_logins import FailedLogins
from shadow.settings import Settings
from shadow.store import tokens
from shadow.store.console_session import writing
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.logins import log_in, log_out


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=400)


class Session(BaseModel):
    """known: false where nobody is asked for a token, and everybody is the local admin."""

    name: str
    role: Role
    known: bool


def add_session_routes(routes: APIRouter, settings: Settings, engine: AsyncEngine, failures: FailedLogins) -> None:
    """Log in, log out, who am I."""

    @routes.post(
        "/session",
        status_code=204,
        response_model=None,
        responses={401: {"model": ErrorBody}, 429: {"model": ErrorBody}},
    )
    async def enter(given: Credentials, request: Request) -> Response:
        """Log in with a token: sets a cookie that stands for it."""
        now, secret = utc_now(), given.token.strip()
        wait = failures.wait_seconds(client_of(request.scope), now)
        if wait:
            return too_many(wait)
        async with writing(engine) as connection:
            found = await tokens.authenticate(connection, secret, now=now)
            lasts = timedelta(hours=settings.auth.session_hours)
            cookie = await log_in(connection, found, lasts=lasts, now=now) if found is not None else None
        if cookie is None:
            await note_failure(engine, failures, request.scope, secret, how="login")
            raise ApiError(401, "unauthenticated", "this token is not valid: wrong, expired or revoked", param="token")
        answer = Response(status_code=204)
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=round(lasts.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=is_https(request.scope),
            path="/",
        )
        return answer

    @routes.delete("/session", status_code=204)
    async def leave(request: Request, response: Response) -> None:
        """Log out: the cookie is worth nothing from now on."""
        cookie = request.cookies.get(COOKIE)
        if cookie:
            async with writing(engine) as connection:
                await log_out(connection, cookie)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=is_https(request.scope), path="/")

    @routes.get("/session", responses={401: {"model": ErrorBody}})
    async def who() -> Session:
        """Who you are to the console."""
        identity = current()
        assert identity is not None  # the middleware lets nobody else through
        return Session(name=identity.name, role=identity.role, known=identity.token_id is not None)


def add_login_page(routes: APIRouter, *, render: Callable[..., HTMLResponse]) -> None:
    """`/login`. Open to everybody, as it holds nothing."""

    @routes.get("/login")
    async def login_page(
        there: Annotated[str, Query(alias="next", max_length=2000)] = "/",
    ) -> HTMLResponse:
        return render("login.html", there=local_path(there))


def local_path(there: str) -> str:
    """A path of this console; "/" for whatever leads elsewhere."""
    elsewhere = not there.startswith("/") or there.startswith(("//", "/\\")) or not there.isprintable()
    return "/" if elsewhere else there
