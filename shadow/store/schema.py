"""Which tables are there? The one description of the schema; migrations bring a database to it.

Raw exchanges are partitioned by day and hold no text. Text is kept for sampled requests only, in `sample_texts` and `answers`.
Every figure is computed from `rollups`, whose sums are additive over buckets and keys.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

from shadow.statistics.sums import SUM_FIELDS

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = sa.MetaData(naming_convention=NAMING)

Instant = sa.DateTime(timezone=True)
Money = sa.Numeric(18, 9)
Exact = sa.Numeric()  # keeps every digit: sums of what clients are charged for

policies = sa.Table(
    "policies",
    metadata,
    sa.Column("version", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("created_at", Instant, nullable=False, server_default=sa.func.now()),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),  # config, user, tuner, rollback
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("thresholds", JSONB, nullable=False),
    sa.Column("band", sa.Double, nullable=False),
    sa.Column(
        "by_query_type", JSONB, nullable=False, server_default="{}"
    ),  # thresholds of query types that have their own
    comment="Append-only: the highest version is in force; a rollback is a new row with old content.",
)

sampling_rates = sa.Table(
    "sampling_rates",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),
    sa.Column("query_type", sa.Text, primary_key=True),
    sa.Column("band", sa.Text, primary_key=True),
    sa.Column("up", sa.Double, nullable=False),
    sa.Column("planned_at", Instant, nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("up > 0 AND up <= 1", name="up_is_a_probability"),
    comment="Written before the day begins and never changed, so that inclusion probabilities are fixed in advance.",
)

proposals = sa.Table(
    "proposals",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("created_at", Instant, nullable=False, server_default=sa.func.now()),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("base_version", sa.Integer, nullable=False),
    sa.Column("thresholds", JSONB, nullable=False),
    sa.Column("by_query_type", JSONB, nullable=False, server_default="{}"),
    sa.Column("evidence", JSONB, nullable=False),
    sa.Column("decided_at", Instant),
    sa.Column("decided_by", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("applied_version", sa.Integer),
    sa.CheckConstraint("status IN ('certified', 'uncertified')", name="status_is_known"),
    sa.CheckConstraint("state IN ('open', 'applied', 'rejected', 'superseded', 'rolled_back')", name="state_is_known"),
    comment="Thresholds that the tuner proposes, with the evidence as it was.",
)
# Only one may wait for a decision; a newer one takes its place.
sa.Index("uq_proposals_open", proposals.c.state, unique=True, postgresql_where=proposals.c.state == "open")

exchanges = sa.Table(
    "exchanges",
    metadata,
    sa.Column("started_at", Instant, primary_key=True),
    sa.Column("request_id", UUID, primary_key=True),
    sa.Column("policy_version", sa.Integer, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("http_status", sa.SmallInteger, nullable=False),
    sa.Column("error_kind", sa.Text),
    sa.Column("predicted_tier", sa.Text, nullable=False),
    sa.Column("chosen_tier", sa.Text, nullable=False),
    sa.Column("served_tier", sa.Text),
    sa.Column("served_model", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("rule", sa.Text),
    sa.Column("confidence", sa.REAL, nullable=False),
    sa.Column("band", sa.Text, nullable=False),
    sa.Column("query_type", sa.Text, nullable=False),
    sa.Column("query_type_source", sa.Text, nullable=False),
    sa.Column("feature", sa.Text),
    sa.Column("user_id", sa.Text),
    sa.Column("session_id", sa.Text),
    sa.Column("key_id", sa.Text),
    sa.Column("streamed", sa.Boolean, nullable=False),
    sa.Column("prompt_tokens", sa.Integer, nullable=False),
    sa.Column("completion_tokens", sa.Integer, nullable=False),
    sa.Column("cost_usd", Exact, nullable=False),
    sa.Column("latency_seconds", sa.REAL, nullable=False),
    sa.Column("first_token_seconds", sa.REAL),
    sa.Column("finish_reason", sa.Text),
    sa.Column("attempts", JSONB),  # null: one attempt, and it answered
    postgresql_partition_by="RANGE (started_at)",
)

samples = sa.Table(
    "samples",
    metadata,
    sa.Column("request_id", UUID, primary_key=True),
    sa.Column("started_at", Instant, nullable=False, index=True),
    sa.Column("arm", sa.Text, nullable=False),  # up, down, control, observe
    sa.Column("served_tier", sa.Text, nullable=False),
    sa.Column("served_model", sa.Text, nullable=False),
    sa.Column("reference_tier", sa.Text, nullable=False),
    sa.Column("query_type", sa.Text, nullable=False),
    sa.Column("feature", sa.Text, nullable=False),
    sa.Column("band", sa.Text, nullable=False),
    sa.Column("policy_version", sa.Integer, nullable=False),
    sa.Column("plan", JSONB, nullable=False),  # [[tier, repeat, inclusion probability], ...]
    sa.Column("counts_for_accuracy", sa.Boolean, nullable=False),
    sa.Column("pi", sa.Double, nullable=False),
    sa.Column("eta", sa.Double, nullable=False),
    sa.Column("label_drawn", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="sampled"),
    sa.Column("failure", sa.Text),
    sa.Column("sampled_at", Instant, nullable=False, server_default=sa.func.now()),
    sa.Column("queued_at", Instant),
    sa.Column("mirrored_at", Instant),
    sa.Column("judged_at", Instant),
    sa.Column("mode", sa.Text, nullable=False, server_default="route"),
    sa.Column(
        "decided_tier", sa.Text
    ),  # in mode observe: the tier of which the sample tells what it would have answered
    sa.Column("decided_pi", sa.Double),
    sa.Column("decided_eta", sa.Double),
    sa.Column("decided_label_drawn", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("texts_deleted_at", Instant),
    sa.Column(
        "routing", JSONB(none_as_null=True)
    ),  # what other thresholds would do with it: as shadow.tuning.what_if writes it
    sa.CheckConstraint("pi > 0 AND pi <= 1", name="pi_is_a_probability"),
    sa.CheckConstraint("eta > 0 AND eta <= 1", name="eta_is_a_probability"),
    sa.CheckConstraint(
        "state IN ('sampled', 'mirrored', 'judged', 'abstained', 'failed', 'shed')", name="state_is_known"
    ),
)
sa.Index("ix_samples_unqueued", samples.c.sampled_at, postgresql_where=samples.c.queued_at.is_(None))
sa.Index("ix_samples_with_texts", samples.c.started_at, postgresql_where=samples.c.texts_deleted_at.is_(None))

sample_texts = sa.Table(
    "sample_texts",
    metadata,
    sa.Column("request_id", UUID, sa.ForeignKey("samples.request_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("request_body", sa.Text, nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("dialect", sa.Text, nullable=False, server_default="openai.chat"),
    sa.Column(
        "native_headers", JSONB, nullable=False, server_default="{}"
    ),  # what the dialect's clients say beside the body
)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("request_id", UUID, sa.ForeignKey("samples.request_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),
    sa.Column("repeat", sa.SmallInteger, primary_key=True),  # 0 = first answer of that tier, 1 = asked again
    sa.Column("served", sa.Boolean, nullable=False),
    sa.Column("pi", sa.Double, nullable=False),
    sa.Column("model", sa.Text),
    sa.Column("outcome", sa.Text, nullable=False),  # ok, or what failed
    sa.Column("completion", sa.Text),
    sa.Column("finish_reason", sa.Text),
    sa.Column("prompt_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("completion_tokens", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cost_usd", Money, nullable=False, server_default="0"),
    sa.Column("latency_seconds", sa.REAL),
    sa.Column("obtained_at", Instant, nullable=False, server_default=sa.func.now()),
    sa.Column("panel", sa.Text),
    sa.Column("verdict", sa.Text),
    sa.Column("probability", sa.Double),
    sa.CheckConstraint("verdict IN ('accept', 'reject', 'abstain')", name="verdict_is_known"),
    sa.CheckConstraint("probability BETWEEN 0 AND 1", name="probability_is_one"),
)

judgments = sa.Table(
    "judgments",
    metadata,
    sa.Column("request_id", UUID, primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),
    sa.Column("repeat", sa.SmallInteger, primary_key=True),
    sa.Column("judge", sa.Text, primary_key=True),  # judge@version
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("score", sa.Double),
    sa.Column("rationale", sa.Text, nullable=False),
    sa.Column("markers", JSONB, nullable=False, server_default="[]"),
    sa.Column("cost_usd", Money, nullable=False, server_default="0"),
    sa.Column("latency_seconds", sa.REAL, nullable=False, server_default="0"),
    sa.Column("judged_at", Instant, nullable=False, server_default=sa.func.now()),
    sa.ForeignKeyConstraint(
        ["request_id", "tier", "repeat"], ["answers.request_id", "answers.tier", "answers.repeat"], ondelete="CASCADE"
    ),
)

labels = sa.Table(
    "labels",
    metadata,
    sa.Column("request_id", UUID, primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),
    sa.Column("repeat", sa.SmallInteger, primary_key=True, server_default="0"),
    sa.Column("reviewer", sa.Text, primary_key=True),
    sa.Column("label", sa.SmallInteger, nullable=False),
    sa.Column("labelled_at", Instant, nullable=False),
    sa.ForeignKeyConstraint(
        ["request_id", "tier", "repeat"], ["answers.request_id", "answers.tier", "answers.repeat"], ondelete="CASCADE"
    ),
    sa.CheckConstraint("label IN (0, 1)", name="label_is_binary"),
)

gold_checks = sa.Table(
    "gold_checks",
    metadata,
    sa.Column("reviewer", sa.Text, primary_key=True),
    sa.Column("item_id", sa.Text, primary_key=True),
    sa.Column("truth", sa.SmallInteger, nullable=False),
    sa.Column("label", sa.SmallInteger, nullable=False),
    sa.Column("checked_at", Instant, nullable=False, server_default=sa.func.now()),
    comment="Labels that a reviewer gave on items of known truth: how often reviewers err.",
)

budget_days = sa.Table(
    "budget_days",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),  # mirror, judge
    sa.Column("reserved_usd", Money, nullable=False, server_default="0"),
    sa.Column("spent_usd", Money, nullable=False, server_default="0"),
    comment="An expired reservation stays reserved: it counts as spent.",
)

budget_reservations = sa.Table(
    "budget_reservations",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("amount_usd", Money, nullable=False),
    sa.Column("reserved_at", Instant, nullable=False, server_default=sa.func.now()),
    sa.Column("settled_usd", Money),
    sa.ForeignKeyConstraint(["day", "purpose"], ["budget_days.day", "budget_days.purpose"], ondelete="CASCADE"),
)

rollups = sa.Table(
    "rollups",
    metadata,
    sa.Column("bucket_start", Instant, primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("query_type", sa.Text, primary_key=True),
    sa.Column("feature", sa.Text, primary_key=True),
    sa.Column("band", sa.Text, primary_key=True),
    sa.Column("mode", sa.Text, primary_key=True, server_default="route"),
    *(sa.Column(name, sa.Double, nullable=False, server_default="0") for name in SUM_FIELDS),
)

rollup_observed = sa.Table(
    "rollup_observed",
    metadata,
    sa.Column("bucket_start", Instant, primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),  # decided
    sa.Column("served_tier", sa.Text, primary_key=True),
    sa.Column("query_type", sa.Text, primary_key=True),
    sa.Column("feature", sa.Text, primary_key=True),
    sa.Column("band", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Double, nullable=False, server_default="0") for name in SUM_FIELDS),
    comment="Mode observe, by the tier decided for: its answers take the place of the reference in the priced sums.",
)

rollup_routes = sa.Table(
    "rollup_routes",
    metadata,
    sa.Column("bucket_start", Instant, primary_key=True),
    sa.Column("predicted_tier", sa.Text, primary_key=True),
    sa.Column("served_tier", sa.Text, primary_key=True),  # "" where nobody answered
    sa.Column("reason", sa.Text, primary_key=True),  # "" where it was served as predicted
    sa.Column("status", sa.Text, primary_key=True),
    sa.Column("mode", sa.Text, primary_key=True, server_default="route"),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("cost_usd", Exact, nullable=False),
    comment="Who was predicted, who served, and why: the escalation rate is exact.",
)

rollup_shadow = sa.Table(
    "rollup_shadow",
    metadata,
    sa.Column("bucket_start", Instant, primary_key=True),
    sa.Column("served_tier", sa.Text, primary_key=True),
    sa.Column("arm", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("mode", sa.Text, primary_key=True, server_default="route"),
    sa.Column("samples", sa.BigInteger, nullable=False),
    sa.Column("labelled", sa.BigInteger, nullable=False),
    sa.Column("mirror_usd", Money, nullable=False),
    sa.Column("judge_usd", Money, nullable=False),
    comment="The funnel and the shadow ledger: nothing is silently missing.",
)

rollup_queue = sa.Table(
    "rollup_queue",
    metadata,
    sa.Column("bucket_start", Instant, primary_key=True),
    sa.Column("marked_at", Instant, nullable=False, server_default=sa.func.now()),
    comment="Buckets that changed since they were last computed.",
)

estimates = sa.Table(
    "estimates",
    metadata,
    sa.Column("computed_at", Instant, primary_key=True),
    sa.Column("metric", sa.Text, primary_key=True),  # accuracy, accuracy_raw, cost_per_success, escalation_rate, ...
    sa.Column("tier", sa.Text, primary_key=True),  # "" = all tiers
    sa.Column("reason", sa.Text, primary_key=True, server_default=""),
    sa.Column("window_seconds", sa.Integer, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("low", sa.Double),
    sa.Column("high", sa.Double),
    sa.Column("n", sa.Double, nullable=False),
    sa.Column("n_labelled", sa.Double, nullable=False),
    sa.Column("coverage", sa.Double),
    sa.Column("mode", sa.Text, nullable=False, server_default="route"),
    comment="The figures as they were shown, for time series; value is null where a figure is not identified.",
)
