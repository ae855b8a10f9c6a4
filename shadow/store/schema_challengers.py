"""Which table holds the scorers that were trained to replace the one in force? A part of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shadow.store.schema import Instant, metadata

challengers = sa.Table(
    "challengers",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("created_at", Instant, nullable=False, server_default=sa.func.now()),
    sa.Column("state", sa.Text, nullable=False, server_default="training"),
    sa.Column("champion", sa.Text, nullable=False),  # the scorer in force when it was trained
    sa.Column("trained_from", Instant, nullable=False),
    sa.Column(
        "cut_off_at", Instant, nullable=False
    ),  # it has seen nothing from then on, and is compared on nothing else
    sa.Column("version", sa.Text),
    sa.Column("data_sha256", sa.Text),
    sa.Column("training", JSONB),
    sa.Column("looks", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("comparison", JSONB),
    sa.Column("decided_at", Instant),
    sa.Column("decided_by", sa.Text),
    sa.Column("reason", sa.Text),
    sa.CheckConstraint(
        "state IN ('training', 'comparing', 'proposed', 'dropped', 'adopted', 'rejected', 'superseded')",
        name="state_is_known",
    ),
    comment="Scorers trained anew: up to when, on what, and what later requests say of them.",
)
# At most one in each state that something waits for.
sa.Index(
    "uq_challengers_waiting",
    challengers.c.state,
    unique=True,
    postgresql_where=challengers.c.state.in_(["training", "comparing", "proposed"]),
)
