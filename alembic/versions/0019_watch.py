"""Alarms between reports: what is remembered of each stream of judged pairs, and up to where they were looked at.

Revision: 0019. Follows: 0018. New tables only.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "watch_position",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("taken_until", instant, nullable=False),
        sa.Column("taken_id", postgresql.UUID(), nullable=False),
        sa.Column("cohorts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cohorts_quarter", sa.Date()),
        sa.Column("judges", sa.Text(), nullable=False),
        sa.Column("looked_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_position")),
        sa.CheckConstraint("id = 1", name=op.f("ck_watch_position_is_one")),
        comment="Up to which request judged pairs were looked at, and by which judges they are judged. Whoever looks locks "
        "the row.",
    )
    op.create_table(
        "watch_streams",
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("query_type", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("judged", "missing", "left_out")),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("sum_w", "sum_ww", "sum_wf")),
        sa.Column("cohort", sa.Integer()),
        sa.Column("cohort_streams", sa.Integer()),
        *(sa.Column(name, sa.Double()) for name in ("alpha", "baseline_rate", "baseline_bound")),
        sa.Column("baseline_pairs", sa.BigInteger()),
        sa.Column("frozen_at", instant),
        sa.Column("log_capitals", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("peak", sa.Double(), nullable=False),
        sa.Column("draws", sa.BigInteger(), nullable=False),
        sa.Column("sessions_day", sa.Date()),
        sa.Column("sessions", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("last_at", instant, nullable=False),
        sa.Column("fired_at", instant),
        sa.PrimaryKeyConstraint("tier", "model", "query_type", name=op.f("pk_watch_streams")),
        comment="A frozen baseline and what an e-process has won against it since, for each tier, model and query type.",
    )


def downgrade() -> None:
    op.drop_table("watch_streams")
    op.drop_table("watch_position")
