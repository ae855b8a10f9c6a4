"""Which table holds how often each judge was asked? The fourth part of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa

from shadow.store.schema import metadata

COUNTS = ("asked", "spared", "decided", "certified")

judge_days = sa.Table(
    "judge_days",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("query_type", sa.Text, primary_key=True),
    sa.Column("judge", sa.Text, primary_key=True),  # judge@version; panel@version for all of them together
    *(sa.Column(name, sa.BigInteger, nullable=False, server_default="0") for name in COUNTS),
    comment="How many comparisons each judge was asked about, and how many it was spared as cheaper judges had decided; for the "
    "panel, how many it decided, and how many of those by thresholds that labels of the query type certify.",
)
