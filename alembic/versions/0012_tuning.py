"""Tuning: thresholds of query types, what other thresholds would do with a sampled request, and proposals.

Revision: 0012. Follows: 0011. Nothing that exists is rewritten: samples from before say nothing about other thresholds.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    # Constant defaults: no row is written.
    op.add_column("policies", sa.Column("by_query_type", postgresql.JSONB(), server_default="{}", nullable=False))
    op.add_column("samples", sa.Column("routing", postgresql.JSONB()))
    op.create_table(
        "proposals",
        sa.Column("id", sa.Integer(), sa.Identity(), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("thresholds", postgresql.JSONB(), nullable=False),
        sa.Column("by_query_type", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("decided_by", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("applied_version", sa.Integer()),
        sa.CheckConstraint("status IN ('certified', 'uncertified')", name=op.f("ck_proposals_status_is_known")),
        sa.CheckConstraint(
            "state IN ('open', 'applied', 'rejected', 'superseded', 'rolled_back')",
            name=op.f("ck_proposals_state_is_known"),
        ),
        comment="Thresholds that the tuner proposes, with the evidence as it was.",
    )
    # Only one may wait for a decision; a newer one takes its place.
    op.create_index(
        "uq_proposals_open", "proposals", ["state"], unique=True, postgresql_where=sa.text("state = 'open'")
    )


def downgrade() -> None:
    op.drop_table("proposals")
    op.drop_column("samples", "routing")
    op.drop_column("policies", "by_query_type")
