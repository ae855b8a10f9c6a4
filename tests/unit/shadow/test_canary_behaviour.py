"""Does the test of a model's behaviour keep its level with a noisy model, and see another model at once?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shadow.canaries.prompts import read_canaries
from shadow.errors import ConfigError
from shadow.statistics.behaviour import Behaviour, at_least, level_of, look


def _said(rng: np.random.Generator, prompts: int, *, shift: int = 0) -> dict[str, Behaviour]:
    """A third of the prompts have one answer, a third a few, a third always another one."""
    found = {}
    for number in range(prompts):
        word = (0, int(rng.integers(4)), int(rng.integers(10**9)))[number % 3] + shift
        length = (5, 5 + word % 4, int(rng.integers(20, 60)))[number % 3]
        found[str(number)] = Behaviour(answer=f"{word}", length=length, refused=False, log_probability=None)
    return found


def test_a_noisy_model_alarms_no_oftener_than_stated() -> None:
    rng, runs, level = np.random.default_rng(1), 600, 0.05
    false = dict.fromkeys(("answer", "length", "refusal", "log-probability"), 0)
    for _ in range(runs):
        first = [_said(rng, 24) for _ in range(6)]
        for found in look({p: [run[p] for run in first] for p in first[0]}, _said(rng, 24), level=level):
            false[found.aspect] += found.has_changed
    most = level + 2.33 * (level * (1 - level) / runs) ** 0.5
    assert all(count / runs <= most for count in false.values()), false


def test_another_behaviour_is_seen_in_one_run_at_the_level_of_a_quarter_of_hourly_ones() -> None:
    rng = np.random.default_rng(2)
    first = [_said(rng, 24) for _ in range(8)]
    level = level_of(0.05, looks=90 * 24, models=3)
    [answer, *_] = look({p: [run[p] for run in first] for p in first[0]}, _said(rng, 24, shift=10**9), level=level)
    assert answer.has_changed
    assert {str(number) for number in range(0, 24, 3)} <= set(answer.changed)


def test_the_chance_of_so_many_is_exact() -> None:
    assert at_least([0.5, 0.5, 0.2], 2) == pytest.approx(0.25 + 0.5 * 0.2)
    assert (at_least([0.1], 0), at_least([], 1)) == (1.0, 0.0)
    same = [Behaviour(answer="7", length=1, refused=False, log_probability=-0.1)] * 3
    now = Behaviour(answer="no", length=2, refused=True, log_probability=-0.4)
    found = {
        one.aspect: (one.changed, one.p) for one in look({"a": same, "b": same[:2]}, {"a": now, "b": now}, level=0.1)
    }
    assert found == dict.fromkeys(("answer", "length", "refusal", "log-probability"), (("a",), 0.25))
    with pytest.raises(ValueError, match="looks and models"):
        level_of(0.05, looks=0, models=1)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"id": "a"}', "line 1: prompt: Field required"),
        ('{"id": "a", "prompt": "x"}\n{"id": "a", "prompt": "y"}', "line 2: id: 'a' was given before"),
        ("nonsense", "line 1: Invalid JSON"),
        ("\n", "holds no prompt"),
    ],
)
def test_a_bad_line_of_canaries_is_named(text: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        read_canaries(text, source=str(Path("mine.jsonl")))
