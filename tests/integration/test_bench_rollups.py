"""The benchmark of roll-ups in small: everything it measures is there and its figures agree. Times are for the large one."""

from __future__ import annotations

import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def bench() -> ModuleType:
    """Benchmarks are scripts and no package."""
    folder = str(Path(__file__).parents[1] / "benchmarks")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module("bench_rollups")


def test_twenty_thousand_exchanges_go_through_the_benchmark(bench: ModuleType, database_url: str) -> None:
    days = bench.midnights(datetime(2026, 7, 1, tzinfo=UTC), 2)
    told: list[str] = []
    traffic = bench.Traffic(exchanges_per_day=10_000, seed=1)
    lines = bench.measure(database_url, traffic, days, told.append, bucket_seconds=10_800)
    found = {line.what: line for line in lines}
    assert told[0] == "loading, day 1 of 2"
    assert found["exchanges"].value == 20_000
    assert 4.5 < found["sampled"].value < 5.5
    assert found["bytes per exchange, rows of exchanges and samples"].met
    assert found["largest relative difference to the estimates from raw rows"].met
    assert found["figures of that day that changed with it"].met
    assert bench.passed(lines, binding=False)
    shown = bench.table(lines, binding=False)
    assert "one bucket of 180 minutes" in shown
    assert "too small a run to count" in shown
