"""Canaries: what pinned models answered to the same small prompts, at first and since.

Revision: 0023. Follows: 0022. New tables only.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "canary_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("provider", "model", "version", "state")),
        sa.Column("ran_at", instant, nullable=False),
        sa.Column("cost_usd", sa.Numeric(18, 9), server_default="0", nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("looks", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("changed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canary_runs")),
        sa.CheckConstraint(
            "state IN ('first', 'compared', 'failed', 'shed')", name=op.f("ck_canary_runs_state_is_known")
        ),
        comment="The first runs of a model are what later ones are held against.",
    )
    op.create_index("ix_canary_runs_model", "canary_runs", ["provider", "model", "ran_at"])
    op.create_table(
        "canary_answers",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("prompt_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("refused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("log_probability", sa.Double()),
        sa.PrimaryKeyConstraint("run_id", "prompt_id", name=op.f("pk_canary_answers")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["canary_runs.id"], name=op.f("fk_canary_answers_run_id_canary_runs"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "canary_accepted",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("since", instant, nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "model", name=op.f("pk_canary_accepted")),
        comment="From when on a model's runs count: its behaviour from then on was accepted, and first runs are made anew.",
    )


def downgrade() -> None:
    op.drop_table("canary_accepted")
    op.drop_table("canary_answers")
    op.drop_table("canary_runs")
