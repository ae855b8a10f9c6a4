"""What can a program ask and say about upgrades? The list, one with its evidence, the pins in force, and each decision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from router.settings import ModelSettings, PriceSettings
from shadow.console.answers import ApiError, ErrorBody
from shadow.console.api_labels import Remembered, reviewer_of
from shadow.console.parameters import Limit
from shadow.errors import ConfigError, RefusedError
from shadow.settings import Settings
from shadow.store import tier_pins, upgrades
from shadow.store.console_session import reading, writing
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.tier_pins import PinRow
from shadow.upgrades import decisions, states
from shadow.upgrades.proposing import propose
from shadow.upgrades.upgrade_text import plain

REFUSED: dict[int | str, dict[str, Any]] = {404: {"model": ErrorBody}, 409: {"model": ErrorBody}}
_Reason = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]
_Name = Annotated[str | None, Field(max_length=200)]


class Decided(BaseModel):
    """by: who decides; default: the name that the browser remembers. reason: why, kept in the audit."""

    model_config = ConfigDict(extra="forbid")

    by: _Name = None
    reason: _Reason = ""


class Promoted(Decided):
    """share: of the tier's requests, for the canary; full: all of them, where the canary runs."""

    share: Annotated[float | None, Field(gt=0, le=1)] = None
    full: bool = False


class Proposed(Decided):
    """provider, model: of the candidate; price: USD per million tokens, null: from the price table. expected: `provider:model` of
    the pin that it is to replace, null: whichever is in force."""

    tier: Annotated[str, Field(max_length=64)]
    provider: Annotated[str, Field(max_length=200)]
    model: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
    price: PriceSettings | None = None
    context_tokens: Annotated[int, Field(ge=256)] = 128_000
    expected: Annotated[str | None, Field(max_length=400)] = None
    rate: Annotated[float | None, Field(gt=0, le=1)] = None
    label_share: Annotated[float | None, Field(ge=0.25, le=1)] = None


class State(BaseModel):
    """The upgrade and the state that it is in now."""

    upgrade: int
    state: states.State


def add_upgrade_routes(routes: APIRouter, settings: Settings, engine: AsyncEngine) -> None:
    """Upgrades of pinned models. A decision that may not be taken is a 409 that says why."""

    @routes.get("/upgrades")
    async def list_upgrades(limit: Limit = 50) -> dict[str, Any]:
        """Newest first, without evidence; and the models that stand in for configured ones."""
        async with reading(engine) as connection:
            rows = await upgrades.listed(connection, limit=limit)
            pins = await tier_pins.in_force(connection)
        return {"upgrades": [plain(row) | {"evidence": None} for row in rows], "pins": [_pin(pin) for pin in pins]}

    @routes.get("/upgrades/{upgrade_id}", responses=REFUSED)
    async def one_upgrade(upgrade_id: int) -> dict[str, Any]:
        """One with its evidence; `evidence_sha256` is of the stored text, which `shadow upgrade status --json` reads as well."""
        async with reading(engine) as connection:
            row = await upgrades.by_id(connection, upgrade_id)
        if row is None:
            raise ApiError(404, "not_found", f"there is no upgrade {upgrade_id}", param="upgrade_id")
        return plain(row)

    @routes.post("/upgrades", status_code=201, responses=REFUSED)
    async def propose_upgrade(said: Proposed, remembered: Remembered = None) -> State:
        """Propose a candidate for a tier's pinned model."""
        by = _who(said, remembered)
        candidate = ModelSettings(
            provider=said.provider, model=said.model, price=said.price, context_tokens=said.context_tokens
        )
        with _told():
            async with writing(engine) as connection:
                made = await propose(
                    connection,
                    settings,
                    tier=said.tier,
                    candidate=candidate,
                    pinned=said.expected or "pinned",
                    rate=said.rate,
                    label_share=said.label_share,
                    by=by,
                    reason=said.reason,
                    now=utc_now(),
                )
        return State(upgrade=made, state="proposed")

    @routes.post("/upgrades/{upgrade_id}/approve", responses=REFUSED)
    async def approve(upgrade_id: int, said: Decided, remembered: Remembered = None) -> State:
        """Approve one that is ready; not the proposer."""
        by = _who(said, remembered)
        with _told():
            async with writing(engine) as connection:
                await decisions.approve(connection, settings, upgrade_id, by=by, reason=said.reason, now=utc_now())
        return State(upgrade=upgrade_id, state="approved")

    @routes.post("/upgrades/{upgrade_id}/reject", responses=REFUSED)
    async def reject(upgrade_id: int, said: Decided, remembered: Remembered = None) -> State:
        """Put one away before its candidate serves anything."""
        by = _who(said, remembered)
        with _told():
            async with writing(engine) as connection:
                await decisions.reject(connection, upgrade_id, by=by, reason=said.reason, now=utc_now())
        return State(upgrade=upgrade_id, state="rejected")

    @routes.post("/upgrades/{upgrade_id}/promote", responses=REFUSED)
    async def promote(upgrade_id: int, said: Promoted, remembered: Remembered = None) -> State:
        """Start the canary of an approved one; with `full`, all requests of one whose canary runs."""
        by = _who(said, remembered)
        with _told():
            async with writing(engine) as connection:
                await decisions.promote(
                    connection,
                    settings,
                    upgrade_id,
                    by=by,
                    reason=said.reason,
                    now=utc_now(),
                    share=said.share,
                    full=said.full,
                )
        return State(upgrade=upgrade_id, state="promoted" if said.full else "canary")

    @routes.post("/upgrades/{upgrade_id}/rollback", responses=REFUSED)
    async def rollback(upgrade_id: int, said: Decided, remembered: Remembered = None) -> State:
        """Have the model from before serve the tier again."""
        by = _who(said, remembered)
        with _told():
            async with writing(engine) as connection:
                await decisions.rollback(connection, settings, upgrade_id, by=by, reason=said.reason, now=utc_now())
        return State(upgrade=upgrade_id, state="rolled_back")


def _who(said: Decided, remembered: str | None) -> str:
    """Who decides. Raises: ApiError where nobody says."""
    name = reviewer_of(said.by, remembered)
    if name is None:
        raise ApiError(422, "invalid", "by: say who does this", param="by")
    return name


@contextmanager
def _told() -> Iterator[None]:
    """A refusal is an answer."""
    try:
        yield
    except RefusedError as exc:
        status, type_ = (404, "not_found") if str(exc).startswith("there is no") else (409, "refused")
        raise ApiError(status, type_, str(exc)) from exc
    except ConfigError as exc:
        raise ApiError(422, "invalid", str(exc)) from exc


def _pin(pin: PinRow) -> dict[str, Any]:
    found = {name: getattr(pin, name) for name in PinRow.__dataclass_fields__}
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in found.items()}
