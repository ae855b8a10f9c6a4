"""A provider puts another model behind a name: told by the next canary run, under another id and under the same one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest

from shadow.store.embedded import attach
from shadow.store.engine import libpq_url
from shadow.testing import Product, running_product

pytestmark = pytest.mark.slow

MODELS = {"lab-fast-2026-05": {"answers_as": "lab-mid-2026-05"}, "lab-frontier-2026-05": {"reports": "another-model"}}


@pytest.fixture
def asked() -> Iterator[Product]:
    """Canaries every six seconds, four first runs."""
    with running_product({"pins": {"canary": {"every_minutes": 0.1, "baseline_runs": 4}}}) as running:
        yield running


def open_alerts(product: Product) -> dict[str, dict[str, Any]]:
    url = f"http://127.0.0.1:{product.control_port}/api/v1/alerts?open=true"
    return {found["kind"]: found for found in httpx.get(url, trust_env=False, timeout=10).json()}


def test_another_model_behind_a_name_is_told_by_the_next_canary_run(asked: Product) -> None:
    url = attach(asked.directory)
    assert url is not None
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:

        def runs(state: str) -> int:
            statement = "SELECT min(n) FROM (SELECT count(*) FILTER (WHERE state = %s) AS n FROM canary_runs GROUP BY model) AS m"
            return (connection.execute(statement, [state]).fetchone() or (0,))[0] or 0

        asked.until(lambda: runs("first") == 4 and runs("compared") > 0, 120)
        assert not open_alerts(asked).keys() & {"model_behaviour", "silent_model_change"}

        httpx.post(
            asked.provider_url.removesuffix("/v1") + "/lab/impostors", json=MODELS, trust_env=False
        ).raise_for_status()
        changed_at, started = datetime.now(UTC), time.monotonic()
        asked.until(lambda: {"model_behaviour", "silent_model_change"} <= open_alerts(asked).keys(), 60)
        print(f"both told after {time.monotonic() - started:.1f} s, with canaries every 6 s")
        found = open_alerts(asked)
        assert "lab/lab-fast-2026-05" in found["model_behaviour"]["message"]
        assert "another-model" in found["silent_model_change"]["message"]
        statement = "SELECT changed FROM canary_runs WHERE model = %s AND ran_at > %s ORDER BY ran_at LIMIT 1"
        assert connection.execute(statement, ["lab-fast-2026-05", changed_at]).fetchone() == (True,)
