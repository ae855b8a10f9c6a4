"""Is a model that silently becomes another one noticed, and is one that stays the same left alone?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from router.contracts import Exchange
from router.wire import exchange_to_json
from shadow.intake.shipper import Shipper
from shadow.pins import checking as pins
from shadow.pins.text import pin_json, pin_rows
from shadow.settings import Settings, parse
from shadow.store import alert_actions, alerts, model_reports
from shadow.store.engine import AsyncEngine
from shadow.store.model_reports import Sighting

pytestmark = pytest.mark.slow

NOW = datetime(2026, 9, 7, tzinfo=UTC)


def _seen(reported: str, fingerprint: str, *, hours: float) -> Sighting:
    at = NOW + timedelta(hours=hours)
    return Sighting(provider="lab", model="fast-1", reported=reported, fingerprint=fingerprint, at=at)


async def _look(engine: AsyncEngine, seen: Sequence[Sighting], *, hours: float) -> list[tuple[str, str]]:
    """Note what was seen and look; (kind, severity) of the open alerts."""
    now = NOW + timedelta(hours=hours)
    async with engine.begin() as connection:
        await model_reports.note_sightings(connection, seen)
        await pins.look(connection, now=now)
    async with engine.connect() as connection:
        found = await alerts.last_alerts(connection, is_open=True)
    return sorted((alert.kind, alert.severity) for alert in found)


async def test_an_alias_is_pinned_to_what_is_reported_first_and_another_id_is_a_silent_change(
    empty_engine: AsyncEngine, console_config: Settings
) -> None:
    engine = empty_engine
    dated = "fast-1-2026-05-01"
    assert await _look(engine, [_seen(dated, "fp_a", hours=0), _seen(dated, "fp_a", hours=1)], hours=1) == []
    assert await _look(engine, [_seen(dated, "fp_b", hours=2)], hours=2) == [("model_fingerprint", "info")]
    async with engine.begin() as connection:  # to close it is to accept it
        [alert] = await alerts.last_alerts(connection)
        await alert_actions.close_alert(connection, alert.id, by="ana", now=NOW + timedelta(hours=2.5))
    assert await _look(engine, [_seen(dated, "fp_b", hours=2.6)], hours=2.6) == []
    changed = [_seen("fast-1-2026-08-01", "fp_c", hours=3)]
    assert await _look(engine, changed, hours=3) == [("silent_model_change", "critical")]
    async with engine.connect() as connection:
        [alert] = await alerts.last_alerts(connection, kind="silent_model_change")
        reports = await model_reports.all_reports(connection)
    assert alert.message.startswith(
        f"lab/fast-1 is answered by another model than was pinned ({dated}): fast-1-2026-08-01 (1"
    )
    [row] = pin_rows(pins.configured_pins(console_config, now=NOW)[:1], reports, today=NOW.date())
    assert pin_json(row)["state"] == "changed"
    assert (row.pinned, row.fingerprint, row.answers) == (dated, "fp_a", 5)
    async with engine.begin() as connection:
        later = NOW + timedelta(hours=4)
        assert await pins.accept(connection, "lab", "fast-1", by="ana", why="announced", now=later) == 1
    assert await _look(engine, [_seen("fast-1-2026-08-01", "fp_c", hours=5)], hours=5) == []


async def test_what_the_intake_ships_says_which_model_answered(
    empty_engine: AsyncEngine, console_config: Settings, one_exchange: Exchange, tmp_path: Path
) -> None:
    said = replace(one_exchange, served_model="fast-1-2026-05-01", extra={"fingerprint": "fp_x"})
    (tmp_path / "a.jsonl").write_bytes(exchange_to_json(said) + b"\n")
    for _ in range(2):  # a second delivery counts nothing
        assert await Shipper(console_config, empty_engine, tmp_path).ship() in (0, 1)
        (tmp_path / "a.jsonl").write_bytes(exchange_to_json(said) + b"\n")
    async with empty_engine.connect() as connection:
        [report] = await model_reports.all_reports(connection)
    found = (report.provider, report.model, report.reported, report.fingerprint, report.answers)
    assert found == ("lab", "fast-1", "fast-1-2026-05-01", "fp_x", 1)


async def test_a_model_that_will_be_switched_off_is_told_in_time(
    empty_engine: AsyncEngine, console_config: Settings
) -> None:
    content = console_config.model_dump(mode="json")
    content["tiers"][0]["models"][0]["retires"] = "2026-10-05"
    configured = pins.configured_pins(parse(content, source="tests"), now=NOW)
    assert configured[0].retires == date(2026, 10, 5)
    async with empty_engine.begin() as connection:
        await model_reports.save_pins(connection, configured)
    told = [await _look(empty_engine, [], hours=24 * days) for days in (-5, 0, 22)]
    assert told == [[], [("model_retires", "warning")], [("model_retires", "critical")]]
    async with empty_engine.begin() as connection:
        [alert] = await alerts.last_alerts(connection, is_open=True)
        assert alert.message == "lab/fast-1, in tier fast, retires on 2026-10-05, in 6 days"
        await model_reports.save_pins(connection, configured[1:])
    assert await _look(empty_engine, [], hours=24 * 23) == []
