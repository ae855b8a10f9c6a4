"""How good was a judge found to be? Its measured card, which comes with the package; `docs/judges/` shows it as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from judges.described import DESCRIBED
from judges.errors import UnknownJudge


def judge_card(name: str) -> Mapping[str, Any] | None:
    """The card of a judge, by name or by `name@version`; None where none was made, or not of this version.

    What it holds: `docs/judges/README.md`. Written by `make judge-cards`. Raises: UnknownJudge.
    """
    plain, _, version = name.partition("@")
    if plain not in DESCRIBED:
        raise UnknownJudge(plain, DESCRIBED)
    file = resources.files("judges").joinpath("cards", f"{plain}.json")
    if not file.is_file():
        return None
    card: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return card if not version or card["judge"] == name else None
