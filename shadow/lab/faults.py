"""How does a provider fail when told to? Modes per model, settable while it runs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

#: none: answers. down: closes the connection without an answer. hang: says nothing for `seconds`, then closes.
#: cut: closes in the middle of the answer. error500, http429: answers with that error.
Mode = Literal["none", "down", "hang", "cut", "error500", "http429"]
MODES: tuple[Mode, ...] = get_args(Mode)
#: The key that holds for every model without an entry of its own.
ALL_MODELS = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """mode, at a share `rate` of the calls, in [0, 1]. seconds: how long a hanging call says nothing."""

    mode: Mode = "none"
    rate: float = 1.0
    seconds: float = 60.0


class FaultPlan:
    """The faults in force."""

    def __init__(self, faults: Mapping[str, Fault] | None = None) -> None:
        self._faults = dict(faults or {})

    def strike(self, model: str, rng: random.Random) -> Fault | None:
        """The fault that hits this call, or None."""
        fault = self._faults.get(model) or self._faults.get(ALL_MODELS)
        if fault is None or fault.mode == "none" or rng.random() >= fault.rate:
            return None
        return fault

    def update(self, body: object, models: frozenset[str]) -> None:
        """Take over `{"<model>" | "*": {"mode", "rate"?, "seconds"?}}`; models not named keep what they have.

        An entry for "*" replaces all others, so that `{"*": {"mode": "none"}}` mends everything.
        Raises: ValueError with one line that names what is wrong; then nothing has changed.
        """
        faults = read_faults(body, models)
        if ALL_MODELS in faults:
            self._faults.clear()
        self._faults.update(faults)

    def as_json(self) -> dict[str, dict[str, Any]]:
        """The faults in force, in the shape that `update` reads."""
        return {m: {"mode": f.mode, "rate": f.rate, "seconds": f.seconds} for m, f in self._faults.items()}


def read_faults(body: object, models: frozenset[str]) -> dict[str, Fault]:
    """Faults by model. Raises: ValueError."""
    if not isinstance(body, dict):
        raise ValueError("faults must be an object: model or * -> {mode, rate, seconds}")
    faults = {}
    for model, entry in body.items():
        if model != ALL_MODELS and model not in models:
            raise ValueError(f"unknown model {model}; known: {', '.join(sorted(models))}, *")
        if not isinstance(entry, dict) or entry.get("mode") not in MODES:
            raise ValueError(f"{model}: mode must be one of {', '.join(MODES)}")
        rate, seconds = entry.get("rate", 1.0), entry.get("seconds", 60.0)
        if not _is_number(rate) or not 0 <= rate <= 1:
            raise ValueError(f"{model}: rate must be a number from 0 to 1")
        if not _is_number(seconds) or seconds < 0:
            raise ValueError(f"{model}: seconds must be a number of at least 0")
        if unknown := entry.keys() - {"mode", "rate", "seconds"}:
            raise ValueError(f"{model}: unknown key {sorted(unknown)[0]}")
        faults[model] = Fault(mode=entry["mode"], rate=float(rate), seconds=float(seconds))
    return faults


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
