"""How is a subject asked for by its name?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from router.mentions import legal, money, personal_data
from router.mentions.said import Said
from router.settings.rules import Subject

DETECTORS: Mapping[Subject, Callable[[Said], bool]] = {
    "legal": legal.found_in,
    "money": money.found_in,
    "personal_data": personal_data.found_in,
}
