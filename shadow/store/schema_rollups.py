"""Which tables of sums are there beside those of `shadow.store.schema`? Pairs, histograms, days, and a daily twin of each.

A twin has the columns of its table, `bucket_start` being a midnight (UTC): one row per key and day instead of one per key and
bucket. `rollup_days` says which days have them; `rollup_spans(since, until)` in the database says where to read a window.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shadow.statistics.pair_sums import PAIR_FIELDS
from shadow.statistics.sums import SUM_FIELDS
from shadow.store.schema import Instant, metadata, rollup_observed, rollup_routes, rollup_shadow, rollups
from shadow.store.schema_money import rollup_moves, rollup_noise

rollup_pairs = sa.Table(
    "rollup_pairs",
    metadata,
    sa.Column("bucket_start", Instant, primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),  # that served
    sa.Column("other_tier", sa.Text, primary_key=True),
    sa.Column("arm", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("query_type", sa.Text, primary_key=True),
    sa.Column("feature", sa.Text, primary_key=True),
    sa.Column("band", sa.Text, primary_key=True),
    sa.Column("mode", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Double, nullable=False) for name in PAIR_FIELDS),
    comment="Loss of having been served by a tier instead of the other one, over drawn pairs.",
)

rollup_strata = sa.Table(
    "rollup_strata",
    metadata,
    sa.Column("bucket_start", Instant, primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),
    sa.Column("query_type", sa.Text, primary_key=True),
    sa.Column("band", sa.Text, primary_key=True),
    sa.Column("mode", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Double, nullable=False) for name in SUM_FIELDS),
    comment="The rows of rollups added up over models and features: what the figures of tiers are computed from.",
)

rollup_histograms = sa.Table(
    "rollup_histograms",
    metadata,
    sa.Column("bucket_start", Instant, primary_key=True),
    # confidence: of the predicted tier; probability: of an answer against the reference's; latency, first_token: seconds
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),  # predicted; answering; serving; serving
    sa.Column("other_tier", sa.Text, primary_key=True),  # serving; reference; "" for latencies
    sa.Column("model", sa.Text, primary_key=True),  # "" for scores
    sa.Column("mode", sa.Text, primary_key=True),
    sa.Column("counts", ARRAY(sa.BigInteger), nullable=False),
    comment="Counts per bin; see shadow.statistics.histogram for the bins.",
)

rollup_days = sa.Table(
    "rollup_days",
    metadata,
    sa.Column("day", Instant, primary_key=True),  # midnight UTC
    sa.Column("compacted_at", Instant),  # null: its buckets are to be read
    sa.Column("buckets_dropped_at", Instant),  # only daily rows are left
    sa.Column("sealed_at", Instant),  # raw rows are being deleted: never computed from them again
    comment="Days with roll-ups, and what is left of each.",
)


def _twin(table: sa.Table) -> sa.Table:
    columns = (
        sa.Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable, server_default=c.server_default)
        for c in table.columns
    )
    return sa.Table(f"{table.name}_daily", metadata, *columns, comment=f"Days of {table.name}, compacted.")


#: Every table of sums by bucket, with its daily twin.
TWINS: dict[sa.Table, sa.Table] = {
    table: _twin(table)
    for table in (
        rollups,
        rollup_observed,
        rollup_routes,
        rollup_shadow,
        rollup_moves,
        rollup_noise,
        rollup_strata,
        rollup_pairs,
        rollup_histograms,
    )
}
