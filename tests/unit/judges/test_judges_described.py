"""What is written of a judge is so: it falls for each of its blind spots, and a card is of the version that was asked for."""

from __future__ import annotations

import asyncio

import pytest

from judges.card import judge_card
from judges.described import DESCRIBED, description
from judges.errors import UnknownJudge
from judges.registry import KNOWN
from shadow.judge_cards.subjects import examples_said

LOADS_A_MODEL = ("semantic", "panel")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LOADS_A_MODEL else ()) for name in DESCRIBED]
)
def test_a_judge_falls_for_each_of_its_blind_spots(name: str) -> None:
    said = asyncio.run(examples_said(name))
    assert len(said) >= 2
    for spot, verdict, score in said:
        assert verdict == spot.says, (
            f"{spot.name}: no blind spot any more, or another verdict; see judges/descriptions/"
        )
        assert (score is None) == (verdict == "abstain")
        assert verdict != ("accept" if spot.acceptable else "reject"), f"{spot.name}: the judge is right"


def test_every_judge_is_described_and_unknown_ones_are_named() -> None:
    assert set(DESCRIBED) == {*KNOWN, "panel"}
    for name in DESCRIBED:
        said = description(name)
        assert said.question.endswith("?")
        assert said.sees
        assert said.does_not_see
    for read in (description, judge_card):
        with pytest.raises(UnknownJudge, match="oracle"):
            read("oracle")


def test_a_card_of_another_version_is_no_card() -> None:
    for name in DESCRIBED:
        card = judge_card(name)
        if card is not None:
            assert judge_card(str(card["judge"])) == card
        assert judge_card(f"{name}@0") is None
