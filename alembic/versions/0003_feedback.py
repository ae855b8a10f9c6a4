"""Feedback: what clients said about answers, and what their sessions let show.

Revision: 0003. Follows: 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("feedback_id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rating", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tier", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("query_type", sa.Text(), nullable=True),
        sa.Column("feature", sa.Text(), nullable=True),
        sa.CheckConstraint("rating IN ('up', 'down')", name=op.f("ck_feedback_rating_is_known")),
        sa.CheckConstraint("source IN ('user', 'retry', 'session')", name=op.f("ck_feedback_source_is_known")),
        sa.PrimaryKeyConstraint("request_id", "source", "key_id", name=op.f("pk_feedback")),
        comment="Self-selected: shown and learned from, never part of an estimate.",
    )
    op.create_index(op.f("ix_feedback_started_at"), "feedback", ["started_at"])
    op.create_index(op.f("ix_feedback_at"), "feedback", ["at"])
    op.create_index("ix_feedback_unresolved", "feedback", ["requested_at"], postgresql_where=sa.text("tier IS NULL"))


def downgrade() -> None:
    op.drop_table("feedback")
