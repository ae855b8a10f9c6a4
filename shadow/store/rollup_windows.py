"""Where does a window's sums lie? Whole days in the daily tables once they are compacted, the rest in buckets."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from shadow.store.schema_rollups import TWINS


def window_of(table: sa.Table, columns: Sequence[str]) -> sa.TextualSelect:
    """Rows that add up to a window, with these columns; bind `since` and `until` (aware, half open)."""
    types = (sa.column(name, table.c[name].type) for name in columns)
    return sa.text(window_sql(table, columns)).columns(*types)


def window_sql(table: sa.Table, columns: Sequence[str]) -> str:
    """The statement of `window_of`.

    The days that are read from daily rows are those that `rollup_spans` names: compacted, and whole within the window.
    """
    named = ", ".join(f"r.{name}" for name in columns)
    return f"""
SELECT {named} FROM rollup_spans(:since, :until) AS s JOIN {TWINS[table].name} AS r ON r.bucket_start = s.span_start WHERE s.daily
UNION ALL
SELECT {named} FROM rollup_spans(:since, :until) AS s
JOIN {table.name} AS r ON r.bucket_start >= s.span_start AND r.bucket_start < s.span_end WHERE NOT s.daily
"""  # noqa: S608 - built from the tables of this package
