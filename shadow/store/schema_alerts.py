"""Which tables hold the messages that are to be sent, and what became of them? The outbox, part of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa

from shadow.store.schema import Instant, metadata
from shadow.store.schema_labels import alerts

notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # what makes it one message, however often it is asked for
    sa.Column("occasion", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("url", sa.Text),  # a path of the console, or a whole address
    sa.Column("alert_id", sa.BigInteger, sa.ForeignKey(alerts.c.id, ondelete="CASCADE"), index=True),
    sa.Column("created_at", Instant, nullable=False, index=True),
    sa.Column("planned_at", Instant),  # when its deliveries were written; null: not yet
    sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity_is_known"),
    sa.CheckConstraint("occasion IN ('opened', 'raised', 'resolved', 'report')", name="occasion_is_known"),
    comment="Outbox: messages, written in the transaction of what they tell of, and sent by the leader.",
)
sa.Index("ix_notifications_unplanned", notifications.c.id, postgresql_where=notifications.c.planned_at.is_(None))

notification_deliveries = sa.Table(
    "notification_deliveries",
    metadata,
    sa.Column(
        "notification_id", sa.BigInteger, sa.ForeignKey(notifications.c.id, ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unconfirmed", sa.Integer, nullable=False, server_default="0"),  # attempts of which the end is not known
    sa.Column("next_at", Instant, nullable=False),  # of a claimed one: when the claim lapses
    sa.Column("last_error", sa.Text),  # never with a secret in it
    sa.Column("delivered_at", Instant),
    sa.CheckConstraint("state IN ('pending', 'claimed', 'delivered', 'given_up')", name="state_is_known"),
    comment="A row per message and channel: at least once, and once unless an attempt was cut off before its end was written.",
)
sa.Index(
    "ix_notification_deliveries_due",
    notification_deliveries.c.channel,
    notification_deliveries.c.next_at,
    postgresql_where=notification_deliveries.c.state.in_(("pending", "claimed")),
)
