"""Which table holds who decided what? The fifth part of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shadow.store.schema import Instant, metadata

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),  # noun.verb
    sa.Column("subject", sa.Text, nullable=False),  # what it was done to, as in "policy 12"
    sa.Column("details", JSONB, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False, unique=True),
    sa.Column("row_hash", sa.Text, nullable=False),
    sa.CheckConstraint("actor <> ''", name="actor_is_named"),
    comment="Append-only: each row holds the hash of the one before. Numbered from 1 without gaps.",
)
