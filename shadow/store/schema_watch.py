"""Which tables hold what is remembered of streams of judged pairs? A part of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from shadow.store.schema import Instant, metadata

watch_position = sa.Table(
    "watch_position",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True),  # always 1
    sa.Column("taken_until", Instant, nullable=False),
    sa.Column("taken_id", UUID, nullable=False),
    sa.Column("cohorts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cohorts_quarter", sa.Date),
    sa.Column("judges", sa.Text, nullable=False),
    sa.Column("looked_at", Instant, nullable=False),
    sa.CheckConstraint("id = 1", name="is_one"),
    comment="Up to which request judged pairs were looked at, and by which judges they are judged. Whoever looks locks the row.",
)

watch_streams = sa.Table(
    "watch_streams",
    metadata,
    sa.Column("tier", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("query_type", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),  # why it began anew
    sa.Column("since", Instant, nullable=False),
    sa.Column("regime", sa.Text, nullable=False),
    sa.Column("policy_version", sa.Integer, nullable=False),
    sa.Column("judged", sa.BigInteger, nullable=False),
    sa.Column("missing", sa.BigInteger, nullable=False),
    sa.Column("left_out", sa.BigInteger, nullable=False),
    sa.Column("sum_w", sa.Double, nullable=False),
    sa.Column("sum_ww", sa.Double, nullable=False),
    sa.Column("sum_wf", sa.Double, nullable=False),
    sa.Column("cohort", sa.Integer),
    sa.Column("cohort_streams", sa.Integer),
    sa.Column("alpha", sa.Double),
    sa.Column("baseline_rate", sa.Double),
    sa.Column("baseline_bound", sa.Double),
    sa.Column("baseline_pairs", sa.BigInteger),
    sa.Column("frozen_at", Instant),
    sa.Column("log_capitals", ARRAY(sa.Double), nullable=False),
    sa.Column("peak", sa.Double, nullable=False),
    sa.Column("draws", sa.BigInteger, nullable=False),
    sa.Column("sessions_day", sa.Date),
    sa.Column("sessions", ARRAY(sa.BigInteger), nullable=False),  # hashes of those that had their turn on that day
    sa.Column("last_at", Instant, nullable=False),
    sa.Column("fired_at", Instant),
    comment="A frozen baseline and what an e-process has won against it since, for each tier, model and query type.",
)
