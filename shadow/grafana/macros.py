"""What does Grafana make of a panel's query before it sends it? The macros and variables that our queries use, expanded.

Only these are known; any other `$__` or `${` is an error, so that a query that we can't check is not taken for a good one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def expand(
    sql: str, *, since: datetime, until: datetime, tiers: Sequence[str], modes: Sequence[str] = ("route",)
) -> str:
    """The query as PostgreSQL gets it. tiers, modes: the chosen values of the variables.

    Raises: ValueError for an unknown macro.
    """
    start, end = _instant(since), _instant(until)
    sql = re.sub(r"\$__timeFilter\(([\w.]+)\)", rf"\1 BETWEEN {start} AND {end}", sql)
    sql = sql.replace("$__timeFrom()", start).replace("$__timeTo()", end)
    sql = re.sub(r"\$__timeGroup\(([\w.]+),\s*'(\d+)([smhd])'\)", _time_group, sql)
    sql = sql.replace("${tier:sqlstring}", _strings(tiers)).replace("${mode:sqlstring}", _strings(modes))
    if unknown := re.search(r"\$__\w+|\$\{[^}]*\}?|\$tier\b", sql):
        raise ValueError(f"unknown macro {unknown.group()}")
    return sql


def _strings(values: Sequence[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values) or "''"


def _time_group(match: re.Match[str]) -> str:
    column, number, unit = match.groups()
    seconds = int(number) * _SECONDS[unit]
    return f"to_timestamp(floor(extract(epoch FROM {column}) / {seconds}) * {seconds})"


def _instant(moment: datetime) -> str:
    return f"'{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'"
