"""Dialects: in which one a sampled request was made, so that it can be read and made again.

Revision: 0006. Follows: 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # Constant defaults: no row is written.
    op.add_column("sample_texts", sa.Column("dialect", sa.Text(), server_default="openai.chat", nullable=False))
    op.add_column("sample_texts", sa.Column("native_headers", postgresql.JSONB(), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("sample_texts", "native_headers")
    op.drop_column("sample_texts", "dialect")
