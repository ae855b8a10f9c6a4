"""The store: policies, exchanges by day, samples with their answers, judgments and labels, budgets, roll-ups.

Revision: 0001. Follows: nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "budget_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("reserved_usd", sa.Numeric(precision=18, scale=9), server_default="0", nullable=False),
        sa.Column("spent_usd", sa.Numeric(precision=18, scale=9), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("day", "purpose", name=op.f("pk_budget_days")),
        comment="An expired reservation stays reserved: it counts as spent.",
    )
    op.create_table(
        "estimates",
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("window_seconds", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("n", sa.Double(), nullable=False),
        sa.Column("n_labelled", sa.Double(), nullable=False),
        sa.Column("coverage", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("computed_at", "metric", "tier", "reason", name=op.f("pk_estimates")),
        comment="The figures as they were shown, for time series; value is null where a figure is not identified.",
    )
    op.create_table(
        "exchanges",
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("http_status", sa.SmallInteger(), nullable=False),
        sa.Column("error_kind", sa.Text(), nullable=True),
        sa.Column("predicted_tier", sa.Text(), nullable=False),
        sa.Column("chosen_tier", sa.Text(), nullable=False),
        sa.Column("served_tier", sa.Text(), nullable=True),
        sa.Column("served_model", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("confidence", sa.REAL(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("query_type", sa.Text(), nullable=False),
        sa.Column("query_type_source", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("key_id", sa.Text(), nullable=True),
        sa.Column("streamed", sa.Boolean(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=18, scale=9), nullable=False),
        sa.Column("latency_seconds", sa.REAL(), nullable=False),
        sa.Column("first_token_seconds", sa.REAL(), nullable=True),
        sa.Column("finish_reason", sa.Text(), nullable=True),
        sa.Column("attempts", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("started_at", "request_id", name=op.f("pk_exchanges")),
        postgresql_partition_by="RANGE (started_at)",
    )
    op.create_table(
        "gold_checks",
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("truth", sa.SmallInteger(), nullable=False),
        sa.Column("label", sa.SmallInteger(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("reviewer", "item_id", name=op.f("pk_gold_checks")),
        comment="Labels that a reviewer gave on items of known truth: how often reviewers err.",
    )
    op.create_table(
        "policies",
        sa.Column("version", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("thresholds", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("band", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_policies")),
        comment="Append-only: the highest version is in force; a rollback is a new row with old content.",
    )
    op.create_table(
        "rollup_queue",
        sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("bucket_start", name=op.f("pk_rollup_queue")),
        comment="Buckets that changed since they were last computed.",
    )
    op.create_table(
        "rollup_routes",
        sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("predicted_tier", sa.Text(), nullable=False),
        sa.Column("served_tier", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=18, scale=9), nullable=False),
        sa.PrimaryKeyConstraint(
            "bucket_start", "predicted_tier", "served_tier", "reason", "status", name=op.f("pk_rollup_routes")
        ),
        comment="Who was predicted, who served, and why: the escalation rate is exact.",
    )
    op.create_table(
        "rollup_shadow",
        sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("served_tier", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("labelled", sa.BigInteger(), nullable=False),
        sa.Column("mirror_usd", sa.Numeric(precision=18, scale=9), nullable=False),
        sa.Column("judge_usd", sa.Numeric(precision=18, scale=9), nullable=False),
        sa.PrimaryKeyConstraint("bucket_start", "served_tier", "arm", "state", name=op.f("pk_rollup_shadow")),
        comment="The funnel and the shadow ledger: nothing is silently missing.",
    )
    op.create_table(
        "rollups",
        sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("query_type", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("requests", sa.Double(), server_default="0", nullable=False),
        sa.Column("cost_usd", sa.Double(), server_default="0", nullable=False),
        sa.Column("cost_usd_squared", sa.Double(), server_default="0", nullable=False),
        sa.Column("sampled", sa.Double(), server_default="0", nullable=False),
        sa.Column("mirrored", sa.Double(), server_default="0", nullable=False),
        sa.Column("judged", sa.Double(), server_default="0", nullable=False),
        sa.Column("abstained", sa.Double(), server_default="0", nullable=False),
        sa.Column("failed", sa.Double(), server_default="0", nullable=False),
        sa.Column("labelled", sa.Double(), server_default="0", nullable=False),
        sa.Column("w", sa.Double(), server_default="0", nullable=False),
        sa.Column("wp", sa.Double(), server_default="0", nullable=False),
        sa.Column("v", sa.Double(), server_default="0", nullable=False),
        sa.Column("vp", sa.Double(), server_default="0", nullable=False),
        sa.Column("vy", sa.Double(), server_default="0", nullable=False),
        sa.Column("ww", sa.Double(), server_default="0", nullable=False),
        sa.Column("wwp", sa.Double(), server_default="0", nullable=False),
        sa.Column("wwpp", sa.Double(), server_default="0", nullable=False),
        sa.Column("wv", sa.Double(), server_default="0", nullable=False),
        sa.Column("wvp", sa.Double(), server_default="0", nullable=False),
        sa.Column("wvpp", sa.Double(), server_default="0", nullable=False),
        sa.Column("wvy", sa.Double(), server_default="0", nullable=False),
        sa.Column("wvpy", sa.Double(), server_default="0", nullable=False),
        sa.Column("vv", sa.Double(), server_default="0", nullable=False),
        sa.Column("vvp", sa.Double(), server_default="0", nullable=False),
        sa.Column("vvpp", sa.Double(), server_default="0", nullable=False),
        sa.Column("vvy", sa.Double(), server_default="0", nullable=False),
        sa.Column("vvpy", sa.Double(), server_default="0", nullable=False),
        sa.Column("u_w", sa.Double(), server_default="0", nullable=False),
        sa.Column("u_v", sa.Double(), server_default="0", nullable=False),
        sa.Column("u_vy", sa.Double(), server_default="0", nullable=False),
        sa.Column("u_ww", sa.Double(), server_default="0", nullable=False),
        sa.Column("u_wv", sa.Double(), server_default="0", nullable=False),
        sa.Column("u_wvy", sa.Double(), server_default="0", nullable=False),
        sa.Column("u_vv", sa.Double(), server_default="0", nullable=False),
        sa.Column("u_vvy", sa.Double(), server_default="0", nullable=False),
        sa.Column("priced", sa.Double(), server_default="0", nullable=False),
        sa.Column("d", sa.Double(), server_default="0", nullable=False),
        sa.Column("d_ref", sa.Double(), server_default="0", nullable=False),
        sa.Column("d_served", sa.Double(), server_default="0", nullable=False),
        sa.Column("dd", sa.Double(), server_default="0", nullable=False),
        sa.Column("dd_ref", sa.Double(), server_default="0", nullable=False),
        sa.Column("dd_served", sa.Double(), server_default="0", nullable=False),
        sa.Column("dd_ref_ref", sa.Double(), server_default="0", nullable=False),
        sa.Column("dd_ref_served", sa.Double(), server_default="0", nullable=False),
        sa.Column("dd_served_served", sa.Double(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint(
            "bucket_start", "tier", "model", "query_type", "feature", "band", name=op.f("pk_rollups")
        ),
    )
    op.create_table(
        "samples",
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("served_tier", sa.Text(), nullable=False),
        sa.Column("served_model", sa.Text(), nullable=False),
        sa.Column("reference_tier", sa.Text(), nullable=False),
        sa.Column("query_type", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("counts_for_accuracy", sa.Boolean(), nullable=False),
        sa.Column("pi", sa.Double(), nullable=False),
        sa.Column("eta", sa.Double(), nullable=False),
        sa.Column("label_drawn", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), server_default="sampled", nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("sampled_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mirrored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('sampled', 'mirrored', 'judged', 'abstained', 'failed', 'shed')",
            name=op.f("ck_samples_state_is_known"),
        ),
        sa.CheckConstraint("eta > 0 AND eta <= 1", name=op.f("ck_samples_eta_is_a_probability")),
        sa.CheckConstraint("pi > 0 AND pi <= 1", name=op.f("ck_samples_pi_is_a_probability")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_samples")),
    )
    op.create_index(op.f("ix_samples_started_at"), "samples", ["started_at"], unique=False)
    op.create_index(
        "ix_samples_unqueued", "samples", ["sampled_at"], unique=False, postgresql_where=sa.text("queued_at IS NULL")
    )
    op.create_table(
        "answers",
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("repeat", sa.SmallInteger(), nullable=False),
        sa.Column("served", sa.Boolean(), nullable=False),
        sa.Column("pi", sa.Double(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("completion", sa.Text(), nullable=True),
        sa.Column("finish_reason", sa.Text(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("completion_tokens", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=18, scale=9), server_default="0", nullable=False),
        sa.Column("latency_seconds", sa.REAL(), nullable=True),
        sa.Column("obtained_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("panel", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.CheckConstraint("verdict IN ('accept', 'reject', 'abstain')", name=op.f("ck_answers_verdict_is_known")),
        sa.CheckConstraint("probability BETWEEN 0 AND 1", name=op.f("ck_answers_probability_is_one")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["samples.request_id"], name=op.f("fk_answers_request_id_samples"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("request_id", "tier", "repeat", name=op.f("pk_answers")),
    )
    op.create_table(
        "budget_reservations",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("amount_usd", sa.Numeric(precision=18, scale=9), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("settled_usd", sa.Numeric(precision=18, scale=9), nullable=True),
        sa.ForeignKeyConstraint(
            ["day", "purpose"],
            ["budget_days.day", "budget_days.purpose"],
            name=op.f("fk_budget_reservations_day_purpose_budget_days"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_reservations")),
    )
    op.create_table(
        "sample_texts",
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("request_body", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["samples.request_id"], name=op.f("fk_sample_texts_request_id_samples"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_sample_texts")),
    )
    op.create_table(
        "judgments",
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("repeat", sa.SmallInteger(), nullable=False),
        sa.Column("judge", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("markers", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=18, scale=9), server_default="0", nullable=False),
        sa.Column("latency_seconds", sa.REAL(), server_default="0", nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id", "tier", "repeat"],
            ["answers.request_id", "answers.tier", "answers.repeat"],
            name=op.f("fk_judgments_request_id_tier_repeat_answers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_id", "tier", "repeat", "judge", name=op.f("pk_judgments")),
    )
    op.create_table(
        "labels",
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("repeat", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("label", sa.SmallInteger(), nullable=False),
        sa.Column("labelled_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("label IN (0, 1)", name=op.f("ck_labels_label_is_binary")),
        sa.ForeignKeyConstraint(
            ["request_id", "tier", "repeat"],
            ["answers.request_id", "answers.tier", "answers.repeat"],
            name=op.f("fk_labels_request_id_tier_repeat_answers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_id", "tier", "repeat", "reviewer", name=op.f("pk_labels")),
    )
    # A new policy row is a new policy in force: every intake is told at once.
    op.execute(
        """
        CREATE FUNCTION shadow_announce_policy() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('shadow_policy', NEW.version::text);
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER policies_announce AFTER INSERT ON policies FOR EACH ROW EXECUTE FUNCTION shadow_announce_policy()"
    )


def downgrade() -> None:
    op.drop_table("labels")
    op.drop_table("judgments")
    op.drop_table("sample_texts")
    op.drop_table("budget_reservations")
    op.drop_table("answers")
    op.drop_index("ix_samples_unqueued", table_name="samples", postgresql_where=sa.text("queued_at IS NULL"))
    op.drop_index(op.f("ix_samples_started_at"), table_name="samples")
    op.drop_table("samples")
    op.drop_table("rollups")
    op.drop_table("rollup_shadow")
    op.drop_table("rollup_routes")
    op.drop_table("rollup_queue")
    op.drop_table("policies")
    op.drop_table("gold_checks")
    op.drop_table("exchanges")
    op.drop_table("estimates")
    op.drop_table("budget_days")
    op.execute("DROP FUNCTION shadow_announce_policy()")
