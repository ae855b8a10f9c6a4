"""Which logged outcomes does this file hold, and which line is wrong, and why?"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from router.contracts import Features
from router.features import extract_features
from shadow.json_lines import BadLine, read_objects
from shadow.judging.pair_file import Side, normalised_prompt, side_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """One request and how each tier did on it, cheapest first."""

    line: int
    id: str | int
    features: Features  # as the router would see the request
    tiers: tuple[str, ...]
    successes: tuple[int, ...]  # 0 or 1 for each tier
    costs_usd: tuple[float, ...]
    completions: tuple[str | None, ...]  # what each tier answered, as far as it was kept
    query_type: str | None

    @property
    def cluster(self) -> str:
        """What is resampled as one: the question."""
        return normalised_prompt(self.features.text) or str(self.id)


def read_outcomes(path: Path) -> Iterator[OutcomeRow | BadLine]:
    """Every line, in order. The first good one says which tiers there are, and in which order. Raises: ConfigError if it can't
    be opened."""
    tiers: tuple[str, ...] | None = None
    for found in read_objects(path):
        row = found if isinstance(found, BadLine) else _row(*found)
        if isinstance(row, OutcomeRow):
            tiers = tiers or row.tiers
            if set(row.tiers) == set(tiers):
                row = _in_order(row, tiers)
            else:
                reason = f"the tiers are {', '.join(row.tiers)}, those of the first good line {', '.join(tiers)}"
                row = BadLine(line=row.line, reason=reason, id=row.id)
        yield row


def on_side(rows: Sequence[OutcomeRow], split: Side | None, *, seed: int) -> list[OutcomeRow]:
    """The rows of one half, all of them without a split."""
    return [row for row in rows if split is None or side_of(row.features.text, seed=seed) == split]


def data_hash(rows: Sequence[OutcomeRow]) -> str:
    """SHA-256 of what the rows say, whatever the order and the format of the file."""
    parts = sorted(
        json.dumps([row.id, row.features.text, row.tiers, row.successes, row.costs_usd]).encode() for row in rows
    )
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def _in_order(row: OutcomeRow, tiers: tuple[str, ...]) -> OutcomeRow:
    """The row with its tiers in this order: the keys of a JSON object have none of their own."""
    if row.tiers == tiers:
        return row
    places = [row.tiers.index(tier) for tier in tiers]
    return replace(
        row,
        tiers=tiers,
        successes=tuple(row.successes[at] for at in places),
        costs_usd=tuple(row.costs_usd[at] for at in places),
        completions=tuple(row.completions[at] for at in places),
    )


def _row(number: int, value: Mapping[str, Any]) -> OutcomeRow | BadLine:
    identity = value.get("id")
    if isinstance(identity, bool) or not isinstance(identity, str | int):
        return BadLine(line=number, reason='"id" has to be a string or a whole number')
    try:
        messages = _messages(value)
        tiers, successes, costs, completions = _outcomes(value.get("outcomes"))
    except ValueError as exc:
        return BadLine(line=number, reason=str(exc), id=identity)
    query_type = value.get("query_type")
    return OutcomeRow(
        line=number,
        id=identity,
        features=extract_features({"messages": messages}),
        tiers=tiers,
        successes=successes,
        costs_usd=costs,
        completions=completions,
        query_type=query_type if isinstance(query_type, str) and query_type else None,
    )


def _messages(value: Mapping[str, Any]) -> list[Any]:
    prompt, messages = value.get("prompt"), value.get("messages")
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    if prompt is not None or not isinstance(messages, list):
        raise ValueError('"prompt" has to be a string, or "messages" a list')
    if not any(isinstance(message, Mapping) and message.get("role") == "user" for message in messages):
        raise ValueError('"messages" has no message of the user')
    return messages


def _outcomes(
    value: object,
) -> tuple[tuple[str, ...], tuple[int, ...], tuple[float, ...], tuple[str | None, ...]]:
    if not isinstance(value, Mapping) or len(value) < 2:
        raise ValueError('"outcomes" has to be an object with at least two tiers')
    successes: list[int] = []
    costs: list[float] = []
    completions: list[str | None] = []
    for tier, outcome in value.items():
        if not isinstance(outcome, Mapping):
            raise ValueError(f"the outcome of {tier!r} has to be an object")
        success, cost = outcome.get("success"), outcome.get("cost_usd")
        if isinstance(success, bool) or not isinstance(success, int | float) or success not in (0, 1):
            raise ValueError(f'"success" of {tier!r} has to be 0 or 1')
        if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost < math.inf:
            raise ValueError(f'"cost_usd" of {tier!r} has to be a number, 0 or more')
        completion = outcome.get("completion")
        if completion is not None and not isinstance(completion, str):
            raise ValueError(f'"completion" of {tier!r} has to be a string or null')
        completions.append(completion)
        successes.append(int(success))
        costs.append(float(cost))
    return tuple(value), tuple(successes), tuple(costs), tuple(completions)
