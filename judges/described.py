"""What does a judge see and not see, and where is it known to err? Written by hand, beside the judges, and held to it by tests.

Every blind spot comes with an example and with what the judge says about it; a test asks the judge.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from judges.contracts import Comparison, Verdict
from judges.errors import UnknownJudge
from judges.registry import KNOWN

#: Judges with a description, and so with a card: those of the registry and the panel that asks them.
DESCRIBED = (*KNOWN, "panel")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindSpot:
    """Something that the judge gets wrong by design. acceptable: what a careful human says of the example; says: the judge.

    replies: what the language model behind it answers, in order, where there is one.
    """

    name: str
    text: str
    example: Comparison
    acceptable: bool
    says: Verdict
    replies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One judge in words. name: without a version."""

    name: str
    question: str
    sees: tuple[str, ...]
    does_not_see: tuple[str, ...]
    cost: str
    blind_spots: tuple[BlindSpot, ...]


def description(name: str) -> Description:
    """The description of the judge of this name. Raises: UnknownJudge."""
    if name not in DESCRIBED:
        raise UnknownJudge(name, DESCRIBED)
    text = resources.files("judges").joinpath("descriptions", f"{name}.toml").read_text(encoding="utf-8")
    value = tomllib.loads(text)
    return Description(
        name=name,
        question=value["question"],
        sees=tuple(value["sees"]),
        does_not_see=tuple(value["does_not_see"]),
        cost=value["cost"],
        blind_spots=tuple(_blind_spot(spot) for spot in value["blind_spots"]),
    )


def _blind_spot(value: dict[str, Any]) -> BlindSpot:
    return BlindSpot(
        name=value["name"],
        text=value["text"],
        example=Comparison(
            prompt=value["prompt"],
            answer=value["answer"],
            reference=value.get("reference"),
            context=value.get("context"),
            query_type=value.get("query_type"),
        ),
        acceptable=value["acceptable"],
        says=value["says"],
        replies=tuple(value.get("replies", ())),
    )
