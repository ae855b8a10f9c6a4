"""Who acts, and what may they do? Four roles, each with all that the ones before it may.

viewer sees figures; reviewer sees texts, labels, and looks after alerts; approver decides; admin hands out tokens. Without tokens
everybody who can reach the console is the local admin.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, get_args

from shadow.errors import RefusedError

Role = Literal["viewer", "reviewer", "approver", "admin"]
#: Lowest first.
ROLES: tuple[Role, ...] = get_args(Role)
#: Parts of the system that decide by rule: no person may have such a name.
AUTOMATIC = frozenset({"config", "tuner", "scheduler", "watch", "shadow"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody who acts. token_id: None for the local admin, who is named but not known."""

    name: str
    role: Role
    token_id: int | None

    def may(self, needed: Role) -> bool:
        """Whether the role is that one or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(needed)


_current: ContextVar[Identity | None] = ContextVar("identity", default=None)


@contextmanager
def acting_as(identity: Identity) -> Iterator[None]:
    """Within it, `current()` is this one; per task and request."""
    before = _current.set(identity)
    try:
        yield
    finally:
        _current.reset(before)


def current() -> Identity | None:
    """Who acts here; None outside a request."""
    return _current.get()


def signed(identity: Identity, typed: str | None) -> str:
    """The name under which a decision is kept: the token's, where there is one; else the typed one, else the local admin's.

    Raises: RefusedError where somebody with a token types another name.
    """
    wanted = (typed or "").strip()
    if identity.token_id is None:
        return wanted or identity.name
    if wanted and wanted.casefold() != identity.name.casefold():
        raise RefusedError(f"decisions are kept under the name of the token: {identity.name}, not {wanted}")
    return identity.name
