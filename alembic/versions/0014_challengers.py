"""Challengers: scorers trained anew, what later requests say of them, and what a person decided.

Revision: 0014. Follows: 0013. Nothing that exists is touched.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "challengers",
        sa.Column("id", sa.Integer(), sa.Identity(), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("state", sa.Text(), server_default="training", nullable=False),
        sa.Column("champion", sa.Text(), nullable=False),
        sa.Column("trained_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cut_off_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Text()),
        sa.Column("data_sha256", sa.Text()),
        sa.Column("training", postgresql.JSONB()),
        sa.Column("looks", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("comparison", postgresql.JSONB()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("decided_by", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.CheckConstraint(
            "state IN ('training', 'comparing', 'proposed', 'dropped', 'adopted', 'rejected', 'superseded')",
            name=op.f("ck_challengers_state_is_known"),
        ),
        comment="Scorers trained anew: up to when, on what, and what later requests say of them.",
    )
    op.create_index(
        "uq_challengers_waiting",
        "challengers",
        ["state"],
        unique=True,
        postgresql_where=sa.text("state IN ('training', 'comparing', 'proposed')"),
    )


def downgrade() -> None:
    op.drop_table("challengers")
