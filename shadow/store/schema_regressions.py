"""Which table keeps the weekly reports? A part of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shadow.store.schema import Instant, metadata

regression_reports = sa.Table(
    "regression_reports",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("since", Instant, nullable=False),
    sa.Column("until", Instant, nullable=False, index=True),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("worse", sa.Integer, nullable=False),  # cells that got worse
    sa.Column("tested", sa.Integer, nullable=False),  # cells that could be tested
    sa.Column("headline", sa.Text, nullable=False),
    sa.Column("report", JSONB, nullable=False),  # as `shadow.regressions.findings` writes it
    sa.UniqueConstraint("since", "until"),
    comment="What got worse in a period, against the weeks before it. One report per period, never changed.",
)
