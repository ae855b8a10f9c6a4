"""Tokens and roles: what each role may see and do, what a login is worth, and decisions that the store has signed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import get_args

import httpx
import pytest
import sqlalchemy as sa
from starlette.routing import Route

from shadow.access.acting import acting
from shadow.access.identity import Role
from shadow.console.api import api_routes
from shadow.console.app import create_console
from shadow.console.failed_logins import FailedLogins
from shadow.console.pages import page_routes
from shadow.errors import ConfigError, RefusedError
from shadow.scheduler import open_or_guarded
from shadow.settings import Settings
from shadow.store import audit, policies, tokens
from shadow.store.engine import AsyncEngine, utc_now

pytestmark = pytest.mark.slow
SAMPLE = "/samples/01900000-0000-7000-8000-000000000000"
#: route -> the status for viewer, reviewer, approver and admin.
MAY: dict[tuple[str, str], tuple[int, int, int, int]] = {
    ("GET", "/"): (200, 200, 200, 200),
    ("GET", "/api/v1/metrics"): (200, 200, 200, 200),
    ("GET", "/api/v1/audit"): (200, 200, 200, 200),
    ("GET", SAMPLE): (403, 404, 404, 404),
    ("GET", "/api/v1" + SAMPLE): (403, 404, 404, 404),
    ("GET", "/api/v1/judgments"): (403, 200, 200, 200),
    ("GET", "/api/v1/feedback"): (403, 200, 200, 200),
    ("GET", "/api/v1/labels/next"): (403, 204, 204, 204),
    ("GET", "/labels"): (403, 200, 200, 200),
    ("POST", "/api/v1/alerts/1/close"): (403, 404, 404, 404),
    ("POST", "/api/v1/nothing/yet"): (403, 403, 404, 404),
    ("GET", "/api/v1/tokens"): (403, 403, 403, 404),
}


@pytest.fixture
def guarded(console_config: Settings) -> Settings:
    return console_config.model_copy(
        update={"auth": console_config.auth.model_copy(update={"required": True, "failed_logins": 3})}
    )


async def made(engine: AsyncEngine, name: str, role: Role, *, days: float = 1.0) -> str:
    now = utc_now()
    async with engine.begin() as connection:
        _, secret = await tokens.create(
            connection, name=name, role=role, by="tests", expires_at=now + timedelta(days=days), now=now
        )
    return secret


@asynccontextmanager
async def console(engine: AsyncEngine, settings: Settings, token: str = "") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_console(settings, engine))
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(transport=transport, base_url="https://127.0.0.1:8081", headers=headers) as client:
        yield client


async def test_each_role_may_what_its_row_says_and_nobody_anything_without_a_token(
    empty_engine: AsyncEngine, guarded: Settings
) -> None:
    for place, role in enumerate(get_args(Role)):
        async with console(empty_engine, guarded, await made(empty_engine, role, role)) as client:
            found = {route: (await client.request(*route)).status_code for route in MAY}
        assert found == {route: statuses[place] for route, statuses in MAY.items()}, role
    async with console(empty_engine, guarded) as client:
        assert (await client.get("/healthz")).status_code == 200
        refused = await client.get("/api/v1/metrics")
        assert (refused.status_code, refused.json()["error"]["type"]) == (401, "unauthenticated")
        sent = await client.get("/money?days=7")
        assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2Fmoney%3Fdays%3D7")
        assert "Log in" in (await client.get("/login?next=//evil.example")).text


async def test_a_viewer_sees_no_text_on_any_page_and_a_reviewer_does(
    filled_engine: AsyncEngine, guarded: Settings
) -> None:
    api = api_routes(guarded, filled_engine, FailedLogins(1)).routes
    routes = [
        *(("/api/v1", route) for route in api),
        *(("", route) for route in page_routes(guarded, filled_engine).routes),
    ]
    paths = [
        f"{prefix}{route.path}"
        for prefix, route in routes
        if isinstance(route, Route) and "GET" in (route.methods or ())
    ]
    assert len(paths) > 30
    shown: dict[str, list[str]] = {"viewer": [], "reviewer": []}
    for role, found in shown.items():
        async with console(filled_engine, guarded, await made(filled_engine, role, role)) as client:  # type: ignore[arg-type]
            for path in paths:
                said = (await client.get(path)).text if "{" not in path else ""
                if any(words in said for words in ("Rotterdam", "merger", "parcel", "contradicts the reference")):
                    found.append(path)
    assert shown["viewer"] == []
    assert {"/", "/pairs", "/api/v1/judgments"} <= set(shown["reviewer"])


async def test_a_login_lasts_until_it_is_ended_or_its_token_is_and_wrong_tokens_wait(
    empty_engine: AsyncEngine, guarded: Settings
) -> None:
    secret = await made(empty_engine, "mira", "reviewer")
    async with console(empty_engine, guarded) as client:
        entered = await client.post("/api/v1/session", json={"token": f" {secret}\n"})
        cookie = entered.headers["set-cookie"]
        assert entered.status_code == 204
        assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Secure", "Path=/"))
        assert (await client.get("/api/v1/session")).json() == {"name": "mira", "role": "reviewer", "known": True}
        assert "log out" in (await client.get("/")).text
        kept = dict(client.cookies)
        assert (await client.delete("/api/v1/session")).status_code == 204
        client.cookies.update(kept)  # a copy that somebody made is worth nothing
        assert (await client.get("/api/v1/session")).status_code == 401
        client.cookies.clear()
        await client.post("/api/v1/session", json={"token": secret})
        async with empty_engine.begin() as connection:
            assert await connection.scalar(sa.text("SELECT count(*) FROM tokens WHERE last_used_at IS NOT NULL")) == 1
            await tokens.revoke(connection, 1, by="zoe", now=utc_now())
        assert (await client.get("/api/v1/session")).status_code == 401
        statuses = [(await client.post("/api/v1/session", json={"token": secret})).status_code for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        late = await client.post("/api/v1/session", json={"token": await made(empty_engine, "zoe", "admin")})
        assert (late.status_code, 0 < int(late.headers["retry-after"]) <= 900) == (429, True)
    async with empty_engine.connect() as connection:
        rows = await audit.listed(connection, action="login")
        everything = str(await audit.listed(connection, limit=500))
        stored = str((await connection.execute(sa.text("SELECT * FROM tokens"))).all())
    assert [row.action for row in rows].count("login.failed") == 3
    assert secret not in everything + stored
    assert secret.split("_", 2)[2] not in everything + stored


async def test_what_is_expired_malformed_or_nearly_right_opens_nothing(empty_engine: AsyncEngine) -> None:
    good, old = await made(empty_engine, "mira", "viewer"), await made(empty_engine, "old", "admin", days=-1)
    async with empty_engine.begin() as connection:
        for wrong in (old, good[:-1] + ("A" if good[-1] != "A" else "B"), "", "shadow_", good + "x", "\x00"):
            assert await tokens.authenticate(connection, wrong, now=utc_now()) is None
        found = await tokens.authenticate(connection, good, now=utc_now())
        assert found is not None
        assert (found.name, found.role) == ("mira", "viewer")
        with pytest.raises(RefusedError, match="system's own"):
            await tokens.create(connection, name="Tuner", role="admin", by="x", expires_at=None, now=utc_now())


async def test_a_console_that_others_can_reach_does_not_start_without_an_admins_token(
    empty_engine: AsyncEngine, console_config: Settings
) -> None:
    beyond = console_config.model_copy(
        update={
            "server": console_config.server.model_copy(update={"host": "0.0.0.0", "control_hosts": ("shadow.example",)})
        }
    )
    assert (beyond.asks_for_tokens, console_config.asks_for_tokens) == (True, False)
    with pytest.raises(ConfigError, match="reachable from other machines, and no admin has a token yet"):
        await open_or_guarded(empty_engine, beyond)
    await made(empty_engine, "mira", "admin")
    await open_or_guarded(empty_engine, beyond)
    await open_or_guarded(empty_engine, beyond)
    async with empty_engine.connect() as connection:
        assert [row.action for row in await audit.listed(connection, action="access")] == ["access.tokens_asked_for"]
    async with console(empty_engine, beyond) as client:
        assert (await client.get("/login", headers={"host": "shadow.example"})).status_code == 200
        assert (await client.get("/login", headers={"host": "evil.example"})).status_code == 400


async def test_with_tokens_on_the_store_takes_decisions_from_their_holders_only(
    empty_engine: AsyncEngine, guarded: Settings, console_config: Settings
) -> None:
    secret, low = await made(empty_engine, "mira", "approver"), await made(empty_engine, "noa", "reviewer")
    await made(empty_engine, "root", "admin")
    await open_or_guarded(empty_engine, guarded)

    async def decide(token: str | None, typed: str | None, settings: Settings = guarded) -> str:
        environ = {"USER": "os-user"} if token is None else {"USER": "os-user", "SHADOW_TOKEN": token}
        async with empty_engine.begin() as connection:
            name = await acting(connection, settings, typed=typed, needs="approver", environ=environ)
            await policies.append(
                connection, thresholds={"fast": 0.7}, band=0.0, author=name, origin="user", reason="tests"
            )
            return name

    assert await decide(secret, None) == "mira"
    assert await decide(secret, "MIRA") == "mira"
    for token, typed, said in (
        (None, "mira", "put yours into SHADOW_TOKEN"),
        (secret, "zoe", "under the name of the token: mira, not zoe"),
        (low, None, "needs the role approver; noa is reviewer"),
        ("shadow_wrong", None, "no valid token"),
    ):
        with pytest.raises(RefusedError, match=said):
            await decide(token, typed)
    # Nor with a configuration of one's own that asks for nothing: the store remembers that tokens are asked for.
    with pytest.raises(RefusedError, match="SHADOW_TOKEN"):
        await decide(None, "mira", console_config)

    async def behind_the_code(token_id: str, name: str) -> None:
        async with empty_engine.begin() as connection:
            await connection.execute(sa.text("SELECT set_config('shadow.token_id', :id, true)"), {"id": token_id})
            statement = (
                "INSERT INTO policies (author, origin, reason, thresholds, band) VALUES (:name, 'user', '', '{}', 0)"
            )
            await connection.execute(sa.text(statement), {"name": name})

    for token_id, name, said in (
        ("", "mira", "nobody with a valid one"),
        ("1", "zoe", "can't sign as"),
        ("2", "noa", "needs the role"),
    ):
        with pytest.raises(sa.exc.DBAPIError, match=said):
            await behind_the_code(token_id, name)
    await behind_the_code("1", "mira")
    async with console(empty_engine, guarded, low) as client:  # reviewers label under their own name
        assert (await client.get("/api/v1/labels/progress")).json()["reviewer"] == "noa"
        assert (await client.get("/api/v1/labels/progress?reviewer=mira")).status_code == 409


async def test_without_tokens_everybody_is_the_local_admin(empty_engine: AsyncEngine, console_config: Settings) -> None:
    await open_or_guarded(empty_engine, console_config)
    async with console(empty_engine, console_config) as client:
        answers = await asyncio.gather(*(client.get(path) for path in ("/api/v1/session", "/", "/labels")))
        assert [answer.status_code for answer in answers] == [200] * 3
        assert (answers[0].json()["role"], answers[0].json()["known"]) == ("admin", False)
