"""Budgeted sampling: which share of each stratum is mirrored upwards on a day.

Revision: 0013. Follows: 0012.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "sampling_rates",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("tier", sa.Text(), primary_key=True),
        sa.Column("query_type", sa.Text(), primary_key=True),
        sa.Column("band", sa.Text(), primary_key=True),
        sa.Column("up", sa.Double(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("up > 0 AND up <= 1", name=op.f("ck_sampling_rates_up_is_a_probability")),
        comment="Written before the day begins and never changed, so that inclusion probabilities are fixed in advance.",
    )


def downgrade() -> None:
    op.drop_table("sampling_rates")
