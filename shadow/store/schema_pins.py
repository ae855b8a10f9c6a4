"""Which tables hold what providers report of pinned models, and how models answer canaries? A part of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shadow.store.schema import Instant, Money, metadata

model_pins = sa.Table(
    "model_pins",
    metadata,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),  # as configured
    sa.Column("tiers", sa.ARRAY(sa.Text), nullable=False),  # none: no longer configured
    sa.Column("context_tokens", sa.Integer),
    sa.Column("input_usd_per_mtok", sa.Numeric),
    sa.Column("output_usd_per_mtok", sa.Numeric),
    sa.Column("retires", sa.Date),
    sa.Column("configured_at", Instant, nullable=False, server_default=sa.func.now()),
    comment="Models that the configuration pins, or pinned once.",
)

model_reports = sa.Table(
    "model_reports",
    metadata,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("reported", sa.Text, primary_key=True),  # the model that the provider says has answered
    sa.Column("fingerprint", sa.Text, primary_key=True),  # "" where it names none
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
    sa.Column("answers", sa.BigInteger, nullable=False),
    sa.Column("accepted_at", Instant),  # null: not what was pinned
    sa.Column("accepted_by", sa.Text),
    comment="What a provider says has answered where a model was asked. The first that was reported is what is pinned.",
)

canary_runs = sa.Table(
    "canary_runs",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),  # of what was asked
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ran_at", Instant, nullable=False),
    sa.Column("cost_usd", Money, nullable=False, server_default="0"),
    sa.Column("answered", sa.Integer, nullable=False),
    sa.Column("looks", JSONB, nullable=False, server_default="[]"),
    sa.Column("changed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint("state IN ('first', 'compared', 'failed', 'shed')", name="state_is_known"),
    comment="The first runs of a model are what later ones are held against.",
)
sa.Index("ix_canary_runs_model", canary_runs.c.provider, canary_runs.c.model, canary_runs.c.ran_at)

canary_answers = sa.Table(
    "canary_answers",
    metadata,
    sa.Column("run_id", sa.BigInteger, sa.ForeignKey("canary_runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("prompt_id", sa.Text, primary_key=True),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("log_probability", sa.Double),
)

canary_accepted = sa.Table(
    "canary_accepted",
    metadata,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("since", Instant, nullable=False),
    sa.Column("accepted_by", sa.Text, nullable=False),
    comment="From when on a model's runs count: its behaviour from then on was accepted, and first runs are made anew.",
)
