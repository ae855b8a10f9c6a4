"""Weekly reports of what got worse are kept.

Revision: 0022. Follows: 0021.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "regression_reports",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("since", "until", "made_at")),
        sa.Column("worse", sa.Integer(), nullable=False),
        sa.Column("tested", sa.Integer(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("report", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regression_reports")),
        sa.UniqueConstraint("since", "until", name=op.f("uq_regression_reports_since_until")),
        comment="What got worse in a period, against the weeks before it. One report per period, never changed.",
    )
    op.create_index(op.f("ix_regression_reports_until"), "regression_reports", ["until"])


def downgrade() -> None:
    op.drop_table("regression_reports")
