"""Labels: what reviewers could not say, extra strata, the frozen gold set with its daily verdicts, and alerts.

Revision: 0009. Follows: 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    _reviewing()
    _gold()
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name=op.f("ck_alerts_severity_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        comment="What somebody should look at. Never two open ones of the same kind and key.",
    )
    op.create_index(op.f("ix_alerts_opened_at"), "alerts", ["opened_at"])
    op.create_index(
        "uq_alerts_open", "alerts", ["kind", "key"], unique=True, postgresql_where=sa.text("closed_at IS NULL")
    )


def _reviewing() -> None:
    op.create_table(
        "label_skips",
        sa.Column("item_id", sa.UUID(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("skipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "tier", "reviewer", name=op.f("pk_label_skips")),
        comment="Answers of which a reviewer could not tell whether they are acceptable. No label.",
    )
    op.create_index("ix_label_skips_reviewer_skipped_at", "label_skips", ["reviewer", "skipped_at"])
    op.create_table(
        "label_extras",
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("stratum", sa.Text(), nullable=False),
        sa.Column("eta", sa.Double(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stratum IN ('rated', 'doubt', 'other')", name=op.f("ck_label_extras_stratum_is_known")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["samples.request_id"], name=op.f("fk_label_extras_request_id_samples"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_label_extras")),
        comment="Labelled samples that the self-weighting draw had not chosen: in no estimate of accuracy.",
    )
    op.create_index("ix_labels_reviewer_labelled_at", "labels", ["reviewer", "labelled_at"])
    op.create_index(
        "ix_samples_for_label",
        "samples",
        ["started_at"],
        postgresql_where=sa.text("label_drawn OR decided_label_drawn"),
    )


def _gold() -> None:
    op.create_table(
        "gold_versions",
        sa.Column("version", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_gold_versions")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_gold_versions_content_hash")),
        comment="Append-only: a gold set is frozen as it is imported, the highest version is in force.",
    )
    op.create_table(
        "gold_items",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("key", sa.UUID(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("context", sa.Text(), nullable=True),
        sa.Column("query_type", sa.Text(), nullable=True),
        sa.Column("label", sa.SmallInteger(), nullable=False),
        sa.Column("reference_label", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint("label IN (0, 1)", name=op.f("ck_gold_items_label_is_binary")),
        sa.CheckConstraint("reference_label IN (0, 1)", name=op.f("ck_gold_items_reference_label_is_binary")),
        sa.ForeignKeyConstraint(
            ["version"], ["gold_versions.version"], name=op.f("fk_gold_items_version_gold_versions")
        ),
        sa.PrimaryKeyConstraint("version", "item_id", name=op.f("pk_gold_items")),
    )
    op.create_index(op.f("ix_gold_items_key"), "gold_items", ["key"])
    op.create_table(
        "gold_runs",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cost_usd", sa.Numeric(18, 9), server_default="0", nullable=False),
        sa.CheckConstraint("state IN ('done', 'shed')", name=op.f("ck_gold_runs_state_is_known")),
        sa.ForeignKeyConstraint(
            ["version"], ["gold_versions.version"], name=op.f("fk_gold_runs_version_gold_versions")
        ),
        sa.PrimaryKeyConstraint("day", "version", name=op.f("pk_gold_runs")),
    )
    op.create_table(
        "gold_verdicts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("judge", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("orders_agree", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "verdict IN ('accept', 'reject', 'abstain')", name=op.f("ck_gold_verdicts_verdict_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["day", "version"],
            ["gold_runs.day", "gold_runs.version"],
            name=op.f("fk_gold_verdicts_day_gold_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("day", "version", "judge", "item_id", name=op.f("pk_gold_verdicts")),
    )
    op.create_table(
        "gold_figures",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("judge", sa.Text(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("decided", sa.Integer(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["day", "version"],
            ["gold_runs.day", "gold_runs.version"],
            name=op.f("fk_gold_figures_day_gold_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("day", "version", "judge", name=op.f("pk_gold_figures")),
    )


def downgrade() -> None:
    for table in ("alerts", "gold_figures", "gold_verdicts", "gold_runs", "gold_items", "gold_versions"):
        op.drop_table(table)
    op.drop_index("ix_samples_for_label", table_name="samples")
    op.drop_index("ix_labels_reviewer_labelled_at", table_name="labels")
    op.drop_table("label_extras")
    op.drop_table("label_skips")
