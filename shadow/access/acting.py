"""Who decides by command? A name that is typed where nobody asks for tokens; else whoever SHADOW_TOKEN belongs to."""

from __future__ import annotations

import os
from collections.abc import Mapping

from shadow.access.identity import AUTOMATIC, Identity, Role, signed
from shadow.errors import RefusedError
from shadow.settings import Settings
from shadow.store import tokens
from shadow.store.engine import AsyncConnection, utc_now

#: The environment variable that holds a person's token.
VARIABLE = "SHADOW_TOKEN"


def os_user(environ: Mapping[str, str] = os.environ) -> str:
    """The name of the account that runs this process, as $USER has it; "" where nothing says."""
    return (environ.get("USER") or environ.get("LOGNAME") or "").strip()


async def acting(
    connection: AsyncConnection,
    settings: Settings,
    *,
    typed: str | None,
    needs: Role,
    otherwise: str = "",
    environ: Mapping[str, str] = os.environ,
) -> str:
    """The name under which a decision is kept; the transaction is signed with it where tokens are asked for.

    typed: as given with the command; otherwise: where nobody is asked for a token, nothing was typed and $USER is not set.
    Raises: RefusedError where a token is missing or not valid, the role is too low, or another name was typed, or one of those
    that parts of the system have.
    """
    if (typed or "").strip().casefold() in AUTOMATIC:
        raise RefusedError(f"{typed} is a part of the system: a decision needs the name of a person")
    if not settings.asks_for_tokens and not await tokens.asked_for(connection):
        name = (typed or "").strip() or os_user(environ) or otherwise
        if not name:
            raise RefusedError("say who decides: give --by NAME, as $USER is not set")
        return name
    secret = environ.get(VARIABLE, "").strip()
    if not secret:
        raise RefusedError(f"tokens are asked for here: put yours into {VARIABLE} (`shadow token create` makes one)")
    identity = await tokens.authenticate(connection, secret, now=utc_now())
    if identity is None:
        raise RefusedError(f"{VARIABLE} holds no valid token: it is wrong, expired or revoked")
    must_be(identity, needs)
    name = signed(identity, typed)
    assert identity.token_id is not None
    await tokens.sign_as(connection, identity.token_id)
    return name


def must_be(identity: Identity, needed: Role) -> None:
    """Raises: RefusedError where the role is too low."""
    if not identity.may(needed):
        raise RefusedError(f"this needs the role {needed}; {identity.name} is {identity.role}")
