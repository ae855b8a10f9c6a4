"""How does a reviewer, or a program in their stead, work off the queue? The next item, words on it, the undo, agreement."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote

from fastapi import APIRouter, Cookie, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from shadow.access.identity import current, signed
from shadow.console.answers import ApiError, ErrorBody
from shadow.console.parameters import Days
from shadow.labels.agreement import agreement_json, disputes_json, load_agreement
from shadow.labels.file import checked_name
from shadow.labels.labelling import REASONS, UnknownItemError, Word, next_item, progress_of, save_words
from shadow.settings import Settings
from shadow.store.console_session import reading, writing
from shadow.store.engine import AsyncEngine, utc_now
from shadow.store.label_words import take_back_last

#: The cookie that remembers who labels; set by the page, read where a call names nobody.
REVIEWER_COOKIE = "shadow_reviewer"
Named = Annotated[str | None, Query(max_length=200, description="Who labels; default: the console's cookie.")]
Remembered = Annotated[str | None, Cookie(alias=REVIEWER_COOKIE, include_in_schema=False)]


class ReviewerName(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=400)


class NewWord(BaseModel):
    """One answer's. label: 1 acceptable, 0 not, null where the reviewer can't tell; then `reason` says why."""

    model_config = ConfigDict(extra="forbid")

    which: str = Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")
    label: Annotated[int, Field(ge=0, le=1, strict=True)] | None
    reason: Literal["expertise", "unclear", "context", "language", "other"] | None = None

    @model_validator(mode="after")
    def _says_why(self) -> NewWord:
        if (self.label is None) != (self.reason is not None):
            raise ValueError("give either a label or a reason for having none")
        return self


class NewWords(BaseModel):
    model_config = ConfigDict(extra="forbid")

    answers: Annotated[list[NewWord], Field(min_length=1, max_length=8)]


class ShownAnswer(BaseModel):
    which: str
    text: str


class ShownItem(BaseModel):
    """Blind: nothing here says which tier or model wrote what, or what others think of it."""

    item_id: uuid.UUID
    prompt: str
    context: str | None
    answers: list[ShownAnswer]


class Saved(BaseModel):
    item_id: uuid.UUID
    reviewer: str
    answers: int


class TakenBack(BaseModel):
    """item_id: null where there was nothing to take back: nothing said, or longer than an hour ago."""

    item_id: uuid.UUID | None


def reviewer_of(named: str | None, remembered: str | None) -> str | None:
    """The reviewer's name, checked; None where nobody says. With a token it is its holder's, whatever the cookie remembers.

    Raises: ApiError for a name that can't be, RefusedError for another one than the token's.
    """
    identity = current()
    if identity is not None and identity.token_id is not None:
        return signed(identity, named)
    given = named if named is not None else unquote(remembered) if remembered else None
    if given is None:
        return None
    try:
        return checked_name(given, "reviewer")
    except ValueError as exc:
        raise ApiError(422, "invalid", str(exc), param="reviewer") from None


def add_label_routes(routes: APIRouter, settings: Settings, engine: AsyncEngine) -> None:
    """The queue, words, undo, progress, agreement, disputes."""

    def needed(named: str | None, remembered: str | None) -> str:
        found = reviewer_of(named, remembered)
        if found is None:
            raise ApiError(422, "invalid", "reviewer: say who labels", param="reviewer")
        return found

    @routes.put("/labels/reviewer", status_code=204)
    async def remember(who: ReviewerName, response: Response) -> None:
        """Remember who labels in this browser. A name, not a login; a token's name goes before it."""
        name = reviewer_of(who.name, None)
        response.set_cookie(
            REVIEWER_COOKIE, quote(name or ""), max_age=365 * 86400, httponly=True, samesite="strict", path="/"
        )

    @routes.delete("/labels/reviewer", status_code=204)
    async def forget(response: Response) -> None:
        """Forget who labels in this browser."""
        response.delete_cookie(REVIEWER_COOKIE, httponly=True, samesite="strict", path="/")

    @routes.get("/labels/next", responses={204: {"description": "Nothing waits for this reviewer."}})
    async def following(
        reviewer: Named = None, remembered: Remembered = None, item: uuid.UUID | None = None
    ) -> ShownItem:
        """The item that waits for this reviewer; the same one until something is said about it. `item`: this one instead."""
        name = needed(reviewer, remembered)
        async with reading(engine) as connection:
            found = await next_item(
                connection, name, settings.labels, now=utc_now(), wanted=str(item) if item is not None else None
            )
        if found is None:
            return Response(status_code=204)  # type: ignore[return-value]
        answers = [ShownAnswer(which=answer.which, text=answer.text) for answer in found.answers]
        return ShownItem(item_id=uuid.UUID(found.item_id), prompt=found.prompt, context=found.context, answers=answers)

    @routes.post("/labels/items/{item_id}", status_code=201, responses={404: {"model": ErrorBody}})
    async def speak(
        item_id: uuid.UUID, words: NewWords, reviewer: Named = None, remembered: Remembered = None
    ) -> Saved:
        """Store what a reviewer says of an item's answers, all or nothing. The same again changes nothing."""
        name = needed(reviewer, remembered)
        said = [Word(which=w.which, label=w.label, reason=w.reason) for w in words.answers]  # type: ignore[arg-type]
        try:
            async with writing(engine) as connection:
                await save_words(connection, name, str(item_id), said, settings.labels, now=utc_now())
        except UnknownItemError as exc:
            raise ApiError(404, "not_found", str(exc), param="item_id") from None
        return Saved(item_id=item_id, reviewer=name, answers=len(said))

    @routes.delete("/labels/last")
    async def undo(reviewer: Named = None, remembered: Remembered = None) -> TakenBack:
        """Take back the reviewer's last words, if they are not older than an hour."""
        name = needed(reviewer, remembered)
        async with writing(engine) as connection:
            taken = await take_back_last(connection, name, now=utc_now())
        return TakenBack(item_id=uuid.UUID(taken) if taken else None)

    @routes.get("/labels/progress")
    async def progress(reviewer: Named = None, remembered: Remembered = None) -> dict[str, Any]:
        """How much waits for this reviewer, and what it would do to the interval."""
        name = needed(reviewer, remembered)
        async with reading(engine) as connection:
            return asdict(await progress_of(connection, name, settings.labels, now=utc_now()))

    @routes.get("/labels/reasons")
    async def reasons() -> dict[str, str]:
        """Why a reviewer may not be able to tell."""
        return dict(REASONS)

    @routes.get("/labels/agreement")
    async def agreed(days: Days = settings.rollup.window_days) -> dict[str, Any]:
        """How often two reviewers say the same, kappa, by query type; and whether that fits their gold record."""
        async with reading(engine) as connection:
            return agreement_json(await load_agreement(connection, days=days, now=utc_now()))

    @routes.get("/labels/disputes")
    async def disputes(days: Days = settings.rollup.window_days) -> list[dict[str, Any]]:
        """Answers on which two reviewers differ; what they said is shown once a third one has settled it."""
        async with reading(engine) as connection:
            return disputes_json(await load_agreement(connection, days=days, now=utc_now()))
