"""Who decided what, and when: a chain of rows that nobody changes.

Revision: 0018. Follows: 0017. Decisions from before are in no row of it; policies, proposals and scorers keep theirs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        # No row has two successors: the chain can't fork, whoever writes.
        sa.UniqueConstraint("previous_hash", name=op.f("uq_audit_previous_hash")),
        sa.CheckConstraint("actor <> ''", name=op.f("ck_audit_actor_is_named")),
        comment="Append-only: each row holds the hash of the one before. Numbered from 1 without gaps.",
    )
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'audit is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )
    # Also where session_replication_role switches ordinary triggers off.
    op.execute("ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_append_only")


def downgrade() -> None:
    op.drop_table("audit")
    op.execute("DROP FUNCTION audit_is_append_only()")
