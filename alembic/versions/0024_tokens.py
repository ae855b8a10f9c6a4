"""Who may use the console and decide: tokens, logins, and decisions that have to be signed.

Revision: 0024. Follows: 0023. Until a scheduler declares that tokens are asked for, nothing is refused that was not before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_INSTANT = sa.DateTime(timezone=True)
_ROLES = "'viewer', 'reviewer', 'approver', 'admin'"
#: table -> (when, the condition under which somebody signs, who, the lowest role)
_SIGNED = {
    "policies": ("INSERT", "NEW.author NOT IN ('config', 'tuner')", "NEW.author", "'approver'"),
    "proposals": (
        "UPDATE",
        "NEW.decided_by IS DISTINCT FROM OLD.decided_by AND NEW.decided_by <> 'tuner'",
        "NEW.decided_by",
        "'approver'",
    ),
    "challengers": (
        "UPDATE",
        "NEW.decided_by IS DISTINCT FROM OLD.decided_by AND NEW.decided_by IS NOT NULL",
        "NEW.decided_by",
        "'approver'",
    ),
    "upgrades": (
        "INSERT OR UPDATE",
        "TG_OP = 'INSERT' OR NEW.approved_by IS DISTINCT FROM OLD.approved_by",
        "CASE TG_OP WHEN 'INSERT' THEN NEW.proposed_by ELSE NEW.approved_by END",
        "CASE TG_OP WHEN 'INSERT' THEN 'reviewer' ELSE 'approver' END",
    ),
}


def upgrade() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer(), sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", _INSTANT),
        sa.Column("revoked_at", _INSTANT),
        sa.Column("revoked_by", sa.Text()),
        sa.Column("last_used_at", _INSTANT),
        sa.UniqueConstraint("prefix", name=op.f("uq_tokens_prefix")),
        sa.CheckConstraint(f"role IN ({_ROLES})", name=op.f("ck_tokens_role_is_known")),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_tokens_holder_is_named")),
        comment="Hashes of tokens, salted; a token itself is shown once and kept nowhere.",
    )
    op.create_table(
        "logins",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        sa.Column("token_id", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["tokens.id"], name=op.f("fk_logins_token_id_tokens"), ondelete="CASCADE"
        ),
        comment="Browsers that are logged in, by the hash of their cookie.",
    )
    op.create_table(
        "access_state",
        sa.Column("is_row", sa.Boolean(), primary_key=True, server_default=sa.true()),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.CheckConstraint("is_row", name=op.f("ck_access_state_is_one_row")),
        comment="Whether tokens are asked for, as the last scheduler that started has declared it.",
    )
    op.execute(
        """
        CREATE FUNCTION shadow_must_sign(person text, needed text) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE
            roles CONSTANT text[] := ARRAY['viewer', 'reviewer', 'approver', 'admin'];
            acting tokens%ROWTYPE;
        BEGIN
            IF NOT EXISTS (SELECT FROM access_state WHERE required) THEN
                RETURN;
            END IF;
            SELECT * INTO acting FROM tokens
            WHERE id = nullif(current_setting('shadow.token_id', true), '')::integer
              AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now());
            IF NOT FOUND THEN
                RAISE EXCEPTION 'tokens are asked for, and nobody with a valid one signs as %', person
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            IF lower(btrim(acting.name)) IS DISTINCT FROM lower(btrim(person)) THEN
                RAISE EXCEPTION 'the token of % can''t sign as %', acting.name, person
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            IF array_position(roles, acting.role) < array_position(roles, needed) THEN
                RAISE EXCEPTION 'this needs the role %, % is %', needed, acting.name, acting.role
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
        END $$
        """
    )
    for table, (when, condition, person, role) in _SIGNED.items():
        op.execute(
            f"CREATE FUNCTION shadow_sign_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {condition} THEN PERFORM shadow_must_sign({person}, {role}); END IF; RETURN NEW; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_signed BEFORE {when} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION shadow_sign_{table}()"
        )


def downgrade() -> None:
    for table in _SIGNED:
        op.execute(f"DROP TRIGGER {table}_signed ON {table}")
        op.execute(f"DROP FUNCTION shadow_sign_{table}()")
    op.execute("DROP FUNCTION shadow_must_sign(text, text)")
    for table in ("access_state", "logins", "tokens"):
        op.drop_table(table)
