"""Does a model behave as it did at first, as far as answers to the same few prompts tell? An exact test, also of a noisy model.

Every prompt was answered several times at first and once now. While the model is the same, any of these answers could as well be
the one of now: they can be exchanged. So the chance that the newest answer differs from all the others is the share of answers
that differ from all the others, and of a number (a length, a log-probability) the share that is beyond all the others. A model
that answers everything anew each time has many such answers anyhow, and proves nothing by one more. Over prompts, which are asked
apart, the number of such answers is Poisson-binomial, so p is exact (conditional on what was said).

Every aspect is looked at in each run, against the same first runs. A level of alpha / (looks x aspects x models) keeps false
alarms over all of them below alpha, however they depend on each other (Bonferroni).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Aspect = Literal["answer", "length", "refusal", "log-probability"]
ASPECTS: tuple[Aspect, ...] = ("answer", "length", "refusal", "log-probability")
#: Fewer first answers than that to a prompt tell nothing of how much they vary.
MIN_FIRST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One answer. length: in characters. log_probability: mean over its tokens, None where the provider gives none."""

    answer: str
    length: int
    refused: bool
    log_probability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AspectLook:
    """One aspect of one run. compared: prompts; changed: ids of those whose answer is unlike all the first ones.

    p: chance of so many changed ones or more if the model is the same; level: what this look may spend.
    """

    aspect: Aspect
    compared: int
    changed: tuple[str, ...]
    p: float
    level: float

    @property
    def has_changed(self) -> bool:
        return self.p <= self.level


def look(first: Mapping[str, Sequence[Behaviour]], now: Mapping[str, Behaviour], *, level: float) -> list[AspectLook]:
    """Each aspect of today's answers, by prompt, against the first ones. Prompts that one of them lacks are left out."""
    return [_look(aspect, first, now, level) for aspect in ASPECTS]


def level_of(alpha: float, *, looks: float, models: int) -> float:
    """What one aspect of one run of one model may spend, for `looks` runs of each. Raises ValueError below one of either."""
    if looks < 1 or models < 1:
        raise ValueError(f"looks and models must be at least 1, got {looks:g} and {models}")
    return alpha / (looks * models * len(ASPECTS))


def at_least(chances: Sequence[float], count: int) -> float:
    """P(at least `count` of these independent events), exact: by convolution."""
    masses = np.ones(1)
    for chance in chances:
        masses = np.convolve(masses, (1.0 - chance, chance))
    return 1.0 if count <= 0 else float(masses[count:].sum())


def _look(
    aspect: Aspect, first: Mapping[str, Sequence[Behaviour]], now: Mapping[str, Behaviour], level: float
) -> AspectLook:
    chances, changed = [], []
    for prompt, behaviour in sorted(now.items()):
        before = [value for one in first.get(prompt, ()) if (value := _value(aspect, one)) is not None]
        newest = _value(aspect, behaviour)
        if newest is None or len(before) < MIN_FIRST:
            continue
        odd = _odd([*before, newest], ordered=aspect in ("length", "log-probability"))
        chances.append(sum(odd) / len(odd))
        if odd[-1]:
            changed.append(prompt)
    p = at_least(chances, len(changed))
    return AspectLook(aspect=aspect, compared=len(chances), changed=tuple(changed), p=p, level=level)


def _value(aspect: Aspect, behaviour: Behaviour) -> Hashable:
    if aspect == "answer":
        return behaviour.answer
    if aspect == "refusal":
        return behaviour.refused
    return behaviour.length if aspect == "length" else behaviour.log_probability


def _odd(values: Sequence[Hashable], *, ordered: bool) -> list[bool]:
    """Which values are unlike all the others: said once only or, of numbers, beyond all the others."""
    times = Counter(values)
    if not ordered:
        return [times[value] == 1 for value in values]
    numbers = [float(value) for value in values]  # type: ignore[arg-type]
    ends = {min(numbers), max(numbers)}
    return [number in ends and times[value] == 1 for number, value in zip(numbers, values, strict=True)]
