"""Pinned models: what the configuration says of them, and what providers report has answered.

Revision: 0021. Follows: 0020. New tables only.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "model_pins",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("tiers", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("context_tokens", sa.Integer()),
        sa.Column("input_usd_per_mtok", sa.Numeric()),
        sa.Column("output_usd_per_mtok", sa.Numeric()),
        sa.Column("retires", sa.Date()),
        sa.Column("configured_at", instant, server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "model", name=op.f("pk_model_pins")),
        comment="Models that the configuration pins, or pinned once.",
    )
    op.create_table(
        "model_reports",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("provider", "model", "reported", "fingerprint")),
        sa.Column("first_at", instant, nullable=False),
        sa.Column("last_at", instant, nullable=False),
        sa.Column("answers", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", instant),
        sa.Column("accepted_by", sa.Text()),
        sa.PrimaryKeyConstraint("provider", "model", "reported", "fingerprint", name=op.f("pk_model_reports")),
        comment="What a provider says has answered where a model was asked. The first that was reported is what is pinned.",
    )


def downgrade() -> None:
    op.drop_table("model_reports")
    op.drop_table("model_pins")
