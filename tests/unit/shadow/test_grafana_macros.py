"""Grafana's macros are expanded as Grafana does it, and an unknown one is never passed over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shadow.grafana.macros import expand

SINCE, UNTIL = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)


def expanded(sql: str, tiers: tuple[str, ...] = ("fast", "top")) -> str:
    return expand(sql, since=SINCE, until=UNTIL, tiers=tiers)


def test_a_time_filter_bounds_its_column() -> None:
    assert expanded("WHERE $__timeFilter(e.at) AND x") == (
        "WHERE e.at BETWEEN '2026-03-01T12:00:00.000000Z' AND '2026-03-02T00:00:00.000000Z' AND x"
    )


def test_the_ends_of_the_window_can_be_named() -> None:
    assert expanded("$__timeFrom() $__timeTo()") == "'2026-03-01T12:00:00.000000Z' '2026-03-02T00:00:00.000000Z'"


def test_a_time_group_floors_to_its_width() -> None:
    assert expanded("$__timeGroup(at, '5m')") == "to_timestamp(floor(extract(epoch FROM at) / 300) * 300)"


def test_tiers_are_quoted_like_strings() -> None:
    assert expanded("IN (${tier:sqlstring})", ("fast", "it's")) == "IN ('fast', 'it''s')"
    assert expanded("IN (${tier:sqlstring})", ()) == "IN ('')"
    assert expanded("IN (${mode:sqlstring})") == "IN ('route')"


@pytest.mark.parametrize("sql", ["$__interval", "${tier}", "${other:csv}", "tier = '$tier'", "$__unixEpochFilter(x)"])
def test_an_unknown_macro_is_an_error(sql: str) -> None:
    with pytest.raises(ValueError, match="unknown macro"):
        expanded(sql)
