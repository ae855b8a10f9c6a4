"""How often each judge was asked and how often it was spared, by day and query type.

Revision: 0015. Follows: 0014. Counted from now on: what was judged before is in no row.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "judge_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("query_type", sa.Text(), nullable=False),
        sa.Column("judge", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
            for name in ("asked", "spared", "decided", "certified")
        ),
        sa.PrimaryKeyConstraint("day", "query_type", "judge", name=op.f("pk_judge_days")),
        comment="How many comparisons each judge was asked about, and how many it was spared as cheaper judges had decided; for "
        "the panel, how many it decided, and how many of those by thresholds that labels of the query type certify.",
    )


def downgrade() -> None:
    op.drop_table("judge_days")
