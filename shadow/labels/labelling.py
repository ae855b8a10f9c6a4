"""What is put before a reviewer next, blind, and what becomes of the words that come back?

An item is a sample or, unseen, a gold item: both look alike. Its answers stand in an order of their own for each reviewer, and
nothing says which tier or model wrote them, why the item was chosen, or what judges or others think of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Literal

from shadow.errors import ShadowError
from shadow.judging.prompts import question_of
from shadow.settings import LabelSettings
from shadow.store import gold, label_queue, label_words
from shadow.store.engine import AsyncConnection
from shadow.store.labels import Label, blind_name, save_gold_checks, save_labels

#: Why a reviewer could not tell.
REASONS: Mapping[str, str] = {
    "expertise": "it needs knowledge that I lack",
    "unclear": "the request is unclear",
    "context": "something is missing that the answer needs",
    "language": "I don't read this language",
    "other": "something else",
}
_GOLD_PARTS = ("answer", "reference")
_SEED = "labels"


class UnknownItemError(ShadowError):
    """There is no such item, or it has no such answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One answer before a reviewer. which: the word that stands for it."""

    which: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a reviewer sees: a prompt, what was said before it, and one or two answers in the reviewer's own order."""

    item_id: str
    prompt: str
    context: str | None
    answers: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A reviewer's word on one answer. label: 1 acceptable, 0 not, None where the reviewer can't tell, with the reason."""

    which: str
    label: Literal[0, 1] | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """items, today: what this reviewer looked at in all and since midnight UTC. left: what waits for them.

    accuracy: the published overall one. half_width_now, half_width_then: of its interval, in [0, 1]; then: when all that waits
    for a first label has one, as the label phase alone would have it (the narrowest that can be hoped for).
    """

    reviewer: str
    items: int
    today: int
    can_undo: bool
    left: label_queue.Left
    accuracy: label_words.Shown | None
    half_width_now: float | None
    half_width_then: float | None


async def next_item(
    connection: AsyncConnection, reviewer: str, labelling: LabelSettings, *, now: datetime, wanted: str | None = None
) -> Item | None:
    """The item for this reviewer, the same one until something is said about it; None where nothing waits.

    wanted: an item to show instead, where the reviewer has not spoken about it (one that was taken back).
    """
    if wanted is not None and not await label_words.has_spoken(connection, reviewer, wanted):
        item = await load_item(connection, reviewer, wanted)
        if item is not None:
            return item
    record = await label_words.record_of(connection, reviewer, now=now)
    sample_id = await _next_sample(connection, reviewer, labelling, last_was_extra=record.last_was_extra)
    if sample_id is None:
        return None
    if _unit(reviewer, str(record.items)) < labelling.gold_share:
        keys = await gold.unseen_keys(connection, reviewer, limit=1)
        if keys:
            return await load_item(connection, reviewer, keys[0])
    return await load_item(connection, reviewer, sample_id)


async def _next_sample(
    connection: AsyncConnection, reviewer: str, labelling: LabelSettings, *, last_was_extra: bool
) -> str | None:
    """Rated down first, but never twice in a row while drawn ones wait; then the drawn ones; then those in doubt."""
    rated = await label_queue.rated_for(connection, reviewer, limit=1)
    if rated and not last_was_extra:
        return rated[0]
    drawn = await label_queue.drawn_for(connection, reviewer, second_share=labelling.second_share, limit=1)
    if drawn or rated:
        return (drawn or rated)[0]
    doubted = await label_queue.doubted_for(connection, reviewer, ratio=labelling.doubt_ratio, limit=1)
    return doubted[0] if doubted else None


async def queue_of(connection: AsyncConnection, reviewer: str, labelling: LabelSettings, *, limit: int) -> list[Item]:
    """The items that wait for this reviewer, gold ones among them, for labelling offline."""
    rated = await label_queue.rated_for(connection, reviewer, limit=limit // 2)
    drawn = await label_queue.drawn_for(connection, reviewer, second_share=labelling.second_share, limit=limit)
    room = limit - len(rated) - len(drawn)
    doubted = await label_queue.doubted_for(connection, reviewer, ratio=labelling.doubt_ratio, limit=max(room, 0))
    samples = [*rated, *drawn, *doubted][:limit]
    wanted = round(len(samples) * labelling.gold_share / (1 - labelling.gold_share))
    keys = await gold.unseen_keys(connection, reviewer, limit=wanted)
    ids = sorted([*samples, *keys], key=lambda found: _unit(reviewer, found)) if keys else samples
    items = [await load_item(connection, reviewer, found) for found in ids]
    return [item for item in items if item is not None]


async def load_item(connection: AsyncConnection, reviewer: str, item_id: str) -> Item | None:
    """A sample or gold item as this reviewer sees it; None where there is none, or its texts are gone."""
    sample = await label_queue.candidate(connection, item_id)
    if sample is not None:
        question = question_of(sample.request_body, sample.dialect)
        return _item(item_id, reviewer, sample.prompt, question.context, sample.answers)
    known = await gold.item_with_key(connection, item_id)
    if known is None:
        return None
    texts = [("answer", known.answer), *([("reference", known.reference)] if known.reference else [])]
    return _item(item_id, reviewer, known.prompt, known.context, texts)


async def save_words(
    connection: AsyncConnection,
    reviewer: str,
    item_id: str,
    words: Sequence[Word],
    labelling: LabelSettings,
    *,
    now: datetime,
) -> None:
    """Store what a reviewer said of an item, as a whole; the same again changes nothing. Raises: UnknownItemError."""
    known = None if await label_queue.is_sample(connection, item_id) else await gold.item_with_key(connection, item_id)
    if known is not None:
        await _save_gold(connection, reviewer, known, words, now)
        return
    if not await label_queue.is_sample(connection, item_id):
        raise UnknownItemError(f"there is no item {item_id}")
    labels = [
        Label(sample_id=item_id, which=word.which, label=word.label, reviewer=reviewer, labelled_at=now)
        for word in words
        if word.label is not None
    ]
    tiers = await _tiers(connection, item_id, words)
    if "unknown" in await save_labels(connection, labels, newest_wins=False):
        raise UnknownItemError(f"item {item_id} has no such answer")
    said = [tiers[word.which] for word in words if word.label is not None]
    await label_words.drop_words(connection, item_id, reviewer, said)
    skipped = {tiers[word.which]: word.reason or "other" for word in words if word.label is None}
    await label_words.save_skips(connection, item_id, reviewer, skipped, now=now)
    if labels:
        await label_queue.note_extra(connection, item_id, ratio=labelling.doubt_ratio, now=now)


async def _tiers(connection: AsyncConnection, item_id: str, words: Sequence[Word]) -> dict[str, str]:
    """Word for an answer -> tier. Raises: UnknownItemError for a word that stands for none of this sample's."""
    obtained = await label_queue.obtained_tiers(connection, item_id)
    known = {blind_name(item_id, tier): tier for tier in obtained} | {tier: tier for tier in obtained}
    for word in words:
        if word.which not in known:
            raise UnknownItemError(f"item {item_id} has no answer {word.which!r}")
    return known


async def _save_gold(
    connection: AsyncConnection, reviewer: str, known: gold.GoldItem, words: Sequence[Word], now: datetime
) -> None:
    parts = {blind_name(known.key, part): part for part in _GOLD_PARTS}
    truths = {"answer": known.label, "reference": known.reference_label}
    checks, skipped = [], {}
    for word in words:
        part = parts.get(word.which)
        if part is None or (part == "reference" and known.reference is None):
            raise UnknownItemError(f"item {known.key} has no answer {word.which!r}")
        truth = truths[part]
        if word.label is None or truth is None:
            # What is said of a reference of unknown truth checks nothing; that it was looked at is kept.
            skipped[part] = word.reason or "other"
        else:
            checks.append((f"{known.key}{label_words.GOLD_SEPARATOR}{part}", truth, word.label))
    await save_gold_checks(connection, reviewer, checks, now=now)
    await label_words.save_skips(connection, known.key, reviewer, skipped, now=now)


async def save_gold_label(connection: AsyncConnection, label: Label) -> bool:
    """Store a label that came by file, if it is one of a gold item; False if there is no such item or answer."""
    known = await gold.item_with_key(connection, label.sample_id)
    if known is None:
        return False
    word = Word(which=label.which, label=1 if label.label else 0)
    try:
        await _save_gold(connection, label.reviewer, known, [word], label.labelled_at)
    except UnknownItemError:
        return False
    return True


async def progress_of(
    connection: AsyncConnection, reviewer: str, labelling: LabelSettings, *, now: datetime
) -> Progress:
    """How far this reviewer is, and what it would be worth to go on."""
    record = await label_words.record_of(connection, reviewer, now=now)
    left = await label_queue.left_for(connection, reviewer, second_share=labelling.second_share)
    accuracy = await label_words.latest_accuracy(connection)
    half = (accuracy.high - accuracy.low) / 2 if accuracy is not None and accuracy.labelled > 0 else None
    then = None
    if half is not None and accuracy is not None:
        then = half * sqrt(accuracy.labelled / (accuracy.labelled + left.first))
    return Progress(
        reviewer=reviewer,
        items=record.items,
        today=record.today,
        can_undo=record.last_at is not None and record.last_at >= now - label_words.UNDO_WITHIN,
        left=left,
        accuracy=accuracy,
        half_width_now=half,
        half_width_then=then,
    )


def _item(item_id: str, reviewer: str, prompt: str, context: str | None, texts: Sequence[tuple[str, str]]) -> Item:
    ordered = sorted(texts, key=lambda part: _unit(reviewer, item_id, part[0]))
    return Item(
        item_id=item_id,
        prompt=prompt,
        context=context,
        answers=tuple(Shown(which=blind_name(item_id, name), text=text) for name, text in ordered),
    )


def _unit(*words: str) -> float:
    """A number in [0, 1) that hangs on these words alone. Source: SHA-256, first 53 bits."""
    digest = hashlib.sha256("\x1f".join((_SEED, *words)).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / (1 << 53)
