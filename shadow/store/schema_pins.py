"""Which tables hold what providers report of pinned models, and how models answer canaries? A part of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa

from shadow.store.schema import Instant, metadata

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
