"""Does the isolation benchmark's bound lie above the true median as often as it claims?"""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "isolation" / "paired.py"


@pytest.fixture(scope="module")
def paired() -> ModuleType:
    """The benchmark's module; benchmarks are scripts and no package."""
    spec = importlib.util.spec_from_file_location("paired", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["paired"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_twenty_pairs_are_bounded_by_the_fifteenth_in_order(paired: ModuleType) -> None:
    found = paired.median_ratio([1 + k / 100 for k in reversed(range(20))])
    assert found.pairs == 20
    assert found.median == pytest.approx(1.095)
    assert found.upper == pytest.approx(1.14)


def test_with_too_few_pairs_there_is_no_bound(paired: ModuleType) -> None:
    assert paired.median_ratio([1.0] * 4).upper == math.inf
    assert paired.median_ratio([1.0] * 5).upper == 1.0


def test_the_bound_holds_whatever_the_distribution(paired: ModuleType) -> None:
    rng = np.random.default_rng(1)
    draws = rng.lognormal(0, 1, (2000, 20)) ** 3  # as skewed as can be; the true median is 1
    held = np.mean([paired.median_ratio(list(row)).upper >= 1 for row in draws])
    assert held >= 0.96
