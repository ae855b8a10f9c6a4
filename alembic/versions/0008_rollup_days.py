"""Sums over pairs of tiers, histograms, and compacted days: a daily twin of every table of sums.

Revision: 0008. Follows: 0007. Nothing that exists is rewritten. Pairs and histograms of what was rolled up before are empty; days
are compacted by the next roll-up.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"

_PAIR_SUMS = """
    pairs judged labelled w wd wdd v vd vdd vy vyy ww wwd wwdd wv wvd wvdd wvy wvdy vv vvd vvdd vvy vvyy vvdy
    u_w u_v u_vy u_vyy u_ww u_wv u_wvy u_vv u_vvy u_vvyy
"""
_TEXT_KEYS = {
    "rollup_pairs": ("tier", "other_tier", "arm", "model", "query_type", "feature", "band", "mode"),
    "rollup_histograms": ("kind", "tier", "other_tier", "model", "mode"),
}
# Table of sums -> its primary key.
_KEYS = {
    "rollups": ("bucket_start", "tier", "model", "query_type", "feature", "band", "mode"),
    "rollup_observed": ("bucket_start", "tier", "served_tier", "query_type", "feature", "band"),
    "rollup_routes": ("bucket_start", "predicted_tier", "served_tier", "reason", "status", "mode"),
    "rollup_shadow": ("bucket_start", "served_tier", "arm", "state", "mode"),
    "rollup_moves": ("bucket_start", "query_type", "served_tier", "other_tier", "arm"),
    "rollup_noise": ("bucket_start", "tier", "query_type", "mode"),
    **{table: ("bucket_start", *keys) for table, keys in _TEXT_KEYS.items()},
}
# A window, day by day: compacted days that lie in it as a whole, and for the others the stretch that does. Steps of 24 hours are
# days in UTC, whatever the session's time zone is.
_SPANS = """
CREATE FUNCTION rollup_spans(since timestamptz, until timestamptz)
RETURNS TABLE (daily boolean, span_start timestamptz, span_end timestamptz)
LANGUAGE sql STABLE ROWS 31 AS $$
    SELECT d.day IS NOT NULL, greatest(starts.day, since), least(starts.day + interval '24 hours', until)
    FROM generate_series(date_trunc('day', since, 'UTC'), until, interval '24 hours') AS starts (day)
    LEFT JOIN rollup_days AS d ON d.day = starts.day AND d.compacted_at IS NOT NULL
        AND starts.day >= since AND starts.day + interval '24 hours' <= until
    WHERE starts.day < until
$$
"""


def upgrade() -> None:
    op.create_table(
        "rollup_pairs",
        sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXT_KEYS["rollup_pairs"]),
        *(sa.Column(name, sa.Double(), nullable=False) for name in _PAIR_SUMS.split()),
        sa.PrimaryKeyConstraint(*_KEYS["rollup_pairs"], name=op.f("pk_rollup_pairs")),
        comment="Loss of having been served by a tier instead of the other one, over drawn pairs.",
    )
    op.create_table(
        "rollup_histograms",
        sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXT_KEYS["rollup_histograms"]),
        sa.Column("counts", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint(*_KEYS["rollup_histograms"], name=op.f("pk_rollup_histograms")),
        comment="Counts per bin; see shadow.statistics.histogram for the bins.",
    )
    op.create_table(
        "rollup_days",
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("compacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("buckets_dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_rollup_days")),
        comment="Days with roll-ups, and what is left of each.",
    )
    for table, key in _KEYS.items():
        op.execute(sa.text(f"CREATE TABLE {table}_daily (LIKE {table} INCLUDING DEFAULTS)"))
        op.create_primary_key(op.f(f"pk_{table}_daily"), f"{table}_daily", list(key))
        op.create_table_comment(f"{table}_daily", f"Days of {table}, compacted.")
    op.execute(sa.text(_SPANS))
    op.execute(
        sa.text(
            "INSERT INTO rollup_days (day) SELECT DISTINCT date_trunc('day', bucket_start, 'UTC') FROM rollup_routes"
        )
    )


def downgrade() -> None:
    op.execute(sa.text("DROP FUNCTION rollup_spans(timestamptz, timestamptz)"))
    for table in _KEYS:
        op.drop_table(f"{table}_daily")
    for table in ("rollup_days", "rollup_histograms", "rollup_pairs"):
        op.drop_table(table)
