"""Which tables hold who may use the console and decide? The sixth part of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa

from shadow.store.schema import Instant, metadata

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),  # the person or program that holds it
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("prefix", sa.Text, nullable=False, unique=True),  # its public part, to recognise it by
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("revoked_at", Instant),
    sa.Column("revoked_by", sa.Text),
    sa.Column("last_used_at", Instant),
    sa.CheckConstraint("role IN ('viewer', 'reviewer', 'approver', 'admin')", name="role_is_known"),
    sa.CheckConstraint("btrim(name) <> ''", name="holder_is_named"),
    comment="Hashes of tokens, salted; a token itself is shown once and kept nowhere.",
)

logins = sa.Table(
    "logins",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("token_id", sa.Integer, sa.ForeignKey("tokens.id", ondelete="CASCADE"), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    comment="Browsers that are logged in, by the hash of their cookie.",
)

access_state = sa.Table(
    "access_state",
    metadata,
    sa.Column("is_row", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("required", sa.Boolean, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.CheckConstraint("is_row", name="is_one_row"),
    comment="Whether tokens are asked for, as the last scheduler that started has declared it.",
)
