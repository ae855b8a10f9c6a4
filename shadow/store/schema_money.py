"""Which tables hold money, prices, what clients said and what other answers said? The second half of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from shadow.statistics.moves import MOVE_FIELDS
from shadow.statistics.noise_floor import NOISE_FIELDS
from shadow.store.schema import Exact, Instant, metadata

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("request_id", UUID, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),  # user, retry, session
    sa.Column("key_id", sa.Text, primary_key=True),  # "" where no key is asked for
    sa.Column("feedback_id", UUID, nullable=False),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("requested_at", Instant, nullable=False),  # as its id says
    sa.Column("rating", sa.Text, nullable=False),
    sa.Column("signal", sa.Text, nullable=False),  # rated, retry, rephrased, frustrated
    sa.Column("comment", sa.Text),
    sa.Column("started_at", Instant, index=True),  # this and the following: null while the exchange is not known
    sa.Column("tier", sa.Text),
    sa.Column("model", sa.Text),
    sa.Column("query_type", sa.Text),
    sa.Column("feature", sa.Text),
    sa.CheckConstraint("rating IN ('up', 'down')", name="rating_is_known"),
    sa.CheckConstraint("source IN ('user', 'retry', 'session')", name="source_is_known"),
    comment="Self-selected: shown and learned from, never part of an estimate.",
)
sa.Index("ix_feedback_unresolved", feedback.c.requested_at, postgresql_where=feedback.c.tier.is_(None))
sa.Index("ix_feedback_with_comment", feedback.c.at, postgresql_where=feedback.c.comment.is_not(None))

rollup_spend = sa.Table(
    "rollup_spend",
    metadata,
    sa.Column("dimension", sa.Text, primary_key=True),  # user, feature, session, key: each holds every request once
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),  # that served; "" where nobody answered, and of sessions
    sa.Column("query_type", sa.Text, primary_key=True),  # "" of sessions
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
    sa.Column("completion_tokens", sa.BigInteger, nullable=False),
    sa.Column("cost_usd", Exact, nullable=False),
    comment="What requests of a UTC day cost, by who and what caused them; exact.",
)

rollup_calls = sa.Table(
    "rollup_calls",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("calls", sa.BigInteger, nullable=False),
    sa.Column("prompt_tokens", sa.BigInteger, nullable=False),
    sa.Column("cached_tokens", sa.BigInteger, nullable=False),
    sa.Column("completion_tokens", sa.BigInteger, nullable=False),
    sa.Column("cost_usd", Exact, nullable=False),
    comment="Calls to models on a UTC day, failed ones that were billed included; exact.",
)

rollup_moves = sa.Table(
    "rollup_moves",
    metadata,
    sa.Column("bucket_start", Instant, primary_key=True),
    sa.Column("query_type", sa.Text, primary_key=True),
    sa.Column("served_tier", sa.Text, primary_key=True),
    sa.Column("other_tier", sa.Text, primary_key=True),
    sa.Column("arm", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Double, nullable=False) for name in MOVE_FIELDS),
    comment="Served answers and other tiers' answers to the same requests: loss and cost, weighted.",
)

rollup_noise = sa.Table(
    "rollup_noise",
    metadata,
    sa.Column("bucket_start", Instant, primary_key=True),
    sa.Column("tier", sa.Text, primary_key=True),  # that served; in mode observe the one decided for
    sa.Column("query_type", sa.Text, primary_key=True),
    sa.Column("mode", sa.Text, primary_key=True, server_default="route"),
    *(sa.Column(name, sa.Double, nullable=False, server_default="0") for name in NOISE_FIELDS),
    comment="Requests that the reference answered twice: divergence of the served answer and of the second one, weighted.",
)

prices = sa.Table(
    "prices",
    metadata,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("starts_at", Instant, primary_key=True),
    sa.Column("seen_at", Instant, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),  # configuration, price table
    sa.Column("input_usd_per_mtok", Exact, nullable=False),
    sa.Column("output_usd_per_mtok", Exact, nullable=False),
    sa.Column("cached_usd_per_mtok", Exact, nullable=False),
    comment="Append-only: each price as it was seen, with the instant from which on it holds.",
)
