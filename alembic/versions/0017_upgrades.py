"""Upgrades of pinned models: proposals with their decisions, the pairs behind them, and the pins in force.

Revision: 0017. Follows: 0016. Nothing that exists is touched. Triggers hold every writer to the legal moves, to four eyes and
to evidence that stays as it was frozen.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"

_INSTANT = sa.DateTime(timezone=True)
_STATES = (
    "'proposed', 'shadowing', 'ready', 'harmed', 'inconclusive', 'approved', 'rejected', 'expired', 'canary', "
    "'promoted', 'rolled_back'"
)


def upgrade() -> None:
    op.create_table(
        "upgrades",
        sa.Column("id", sa.Integer(), sa.Identity(), primary_key=True),
        sa.Column("created_at", _INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("pinned", postgresql.JSONB(), nullable=False),
        sa.Column("candidate", postgresql.JSONB(), nullable=False),
        sa.Column("design", postgresql.JSONB(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("state_since", _INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("state_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("progress", postgresql.JSONB()),
        sa.Column("evidence", sa.Text()),
        sa.Column("evidence_sha256", sa.Text()),
        sa.Column("evidence_at", _INSTANT),
        sa.Column("approved_by", sa.Text()),
        sa.Column("approved_at", _INSTANT),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_upgrades_state_is_known")),
        sa.CheckConstraint(
            "lower(btrim(approved_by)) <> lower(btrim(proposed_by))", name=op.f("ck_upgrades_approver_is_not_proposer")
        ),
        sa.CheckConstraint(
            "btrim(approved_by) <> '' AND btrim(proposed_by) <> ''", name=op.f("ck_upgrades_people_have_names")
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'canary', 'promoted') "
            "OR (approved_by IS NOT NULL AND evidence_sha256 IS NOT NULL)",
            name=op.f("ck_upgrades_approved_on_evidence"),
        ),
        comment="Candidates for a pinned model: what was proposed, shown, decided and switched, and by whom.",
    )
    op.create_index(
        "uq_upgrades_active",
        "upgrades",
        ["tier"],
        unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'shadowing', 'ready', 'approved', 'canary')"),
    )
    op.create_table(
        "upgrade_pairs",
        sa.Column("request_id", postgresql.UUID(as_uuid=False), primary_key=True),
        sa.Column("upgrade_id", sa.Integer(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("query_type", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("pi", sa.Double(), nullable=False),
        sa.Column("eta", sa.Double(), nullable=False),
        sa.Column("label_drawn", sa.Boolean(), nullable=False),
        sa.Column("served_candidate", sa.Boolean(), nullable=False),
        sa.Column("entered_at", _INSTANT),
        sa.Column("missing", sa.Text()),
        sa.Column("judged", sa.Double()),
        sa.Column("label", sa.SmallInteger()),
        sa.Column("z", sa.Double()),
        sa.Column("costs_usd", postgresql.JSONB()),
        sa.Column("seconds", postgresql.JSONB()),
        sa.Column("markers", postgresql.JSONB()),
        sa.Column("panel", sa.Text()),
        sa.CheckConstraint("phase IN ('shadow', 'canary')", name=op.f("ck_upgrade_pairs_phase_is_known")),
        sa.CheckConstraint("pi > 0 AND pi <= 1", name=op.f("ck_upgrade_pairs_pi_is_a_probability")),
        sa.ForeignKeyConstraint(["upgrade_id"], ["upgrades.id"], name=op.f("fk_upgrade_pairs_upgrade_id_upgrades")),
        comment="Requests that the pinned model and its candidate both answered; frozen in request order.",
    )
    op.create_index("ix_upgrade_pairs_upgrade_id_started_at", "upgrade_pairs", ["upgrade_id", "started_at"])
    op.create_table(
        "tier_pins",
        sa.Column("version", sa.Integer(), sa.Identity(), primary_key=True),
        sa.Column("created_at", _INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("configured", postgresql.JSONB(), nullable=False),
        sa.Column("pinned", postgresql.JSONB()),
        sa.Column("candidate", postgresql.JSONB()),
        sa.Column("share", sa.Double(), server_default="0", nullable=False),
        sa.Column("upgrade_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("share >= 0 AND share <= 1", name=op.f("ck_tier_pins_share_is_one")),
        sa.ForeignKeyConstraint(["upgrade_id"], ["upgrades.id"], name=op.f("fk_tier_pins_upgrade_id_upgrades")),
        comment="Append-only: the highest version of a tier says which model serves it.",
    )
    op.execute(
        """
        CREATE FUNCTION shadow_guard_upgrade() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                RAISE EXCEPTION 'upgrade % may not be deleted', OLD.id USING ERRCODE = 'check_violation';
            END IF;
            IF (NEW.tier, NEW.pinned, NEW.candidate, NEW.design, NEW.proposed_by, NEW.created_at)
               IS DISTINCT FROM (OLD.tier, OLD.pinned, OLD.candidate, OLD.design, OLD.proposed_by, OLD.created_at) THEN
                RAISE EXCEPTION 'what upgrade % proposed may not be changed', OLD.id USING ERRCODE = 'check_violation';
            END IF;
            IF OLD.evidence IS NOT NULL AND (NEW.evidence, NEW.evidence_sha256, NEW.evidence_at)
               IS DISTINCT FROM (OLD.evidence, OLD.evidence_sha256, OLD.evidence_at) THEN
                RAISE EXCEPTION 'the evidence of upgrade % is frozen', OLD.id USING ERRCODE = 'check_violation';
            END IF;
            IF OLD.approved_by IS NOT NULL AND NEW.approved_by IS DISTINCT FROM OLD.approved_by THEN
                RAISE EXCEPTION 'upgrade % was approved by % already', OLD.id, OLD.approved_by
                    USING ERRCODE = 'check_violation';
            END IF;
            IF NEW.state <> OLD.state AND NOT OLD.state || '>' || NEW.state = ANY (ARRAY[
                'proposed>shadowing', 'proposed>rejected', 'shadowing>ready', 'shadowing>harmed',
                'shadowing>inconclusive', 'shadowing>rejected', 'ready>approved', 'ready>rejected', 'ready>expired',
                'approved>canary', 'approved>rejected', 'approved>expired', 'canary>promoted', 'canary>rolled_back',
                'promoted>rolled_back'
            ]) THEN
                RAISE EXCEPTION 'upgrade % is % and can''t become %', OLD.id, OLD.state, NEW.state
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER upgrades_guard BEFORE UPDATE OR DELETE ON upgrades "
        "FOR EACH ROW EXECUTE FUNCTION shadow_guard_upgrade()"
    )
    op.execute(
        """
        CREATE FUNCTION shadow_guard_entered_pair() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.entered_at IS NOT NULL THEN
                RAISE EXCEPTION 'pair % of upgrade % is frozen', OLD.request_id, OLD.upgrade_id
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER upgrade_pairs_guard BEFORE UPDATE OR DELETE ON upgrade_pairs "
        "FOR EACH ROW EXECUTE FUNCTION shadow_guard_entered_pair()"
    )
    op.execute(
        """
        CREATE FUNCTION shadow_guard_pin() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'pins are append-only: version % stays as it is', OLD.version
                USING ERRCODE = 'check_violation';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER tier_pins_guard BEFORE UPDATE OR DELETE ON tier_pins "
        "FOR EACH ROW EXECUTE FUNCTION shadow_guard_pin()"
    )
    # Intakes write pins and policy into one file: they are told on the channel that they listen to already.
    op.execute(
        "CREATE TRIGGER tier_pins_announce AFTER INSERT ON tier_pins "
        "FOR EACH ROW EXECUTE FUNCTION shadow_announce_policy()"
    )


def downgrade() -> None:
    op.drop_table("tier_pins")
    op.drop_table("upgrade_pairs")
    op.drop_table("upgrades")
    for function in ("shadow_guard_upgrade", "shadow_guard_entered_pair", "shadow_guard_pin"):
        op.execute(f"DROP FUNCTION {function}()")
