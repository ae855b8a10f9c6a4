"""Which tables hold alerts, what happened to them, and the messages about them? A part of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shadow.store.schema import Instant, metadata

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),  # what it is about, within its kind
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("details", JSONB, nullable=False, server_default="{}"),
    sa.Column("opened_at", Instant, nullable=False, index=True),
    sa.Column("reopened_at", Instant),  # the last time it came back; null: never
    sa.Column("closed_at", Instant, index=True),
    sa.Column("closed_by", sa.Text),  # null: it closed by itself
    sa.Column("acknowledged_at", Instant),
    sa.Column("acknowledged_by", sa.Text),
    sa.Column("snoozed_until", Instant),
    sa.Column("snoozed_by", sa.Text),
    sa.Column("told", sa.Text),  # what was said last, as `shadow.alerting.telling` has it; null: nothing yet
    sa.Column("told_severity", sa.Text),
    sa.Column("messages", sa.Integer, nullable=False, server_default="0"),  # how many there were
    sa.CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity_is_known"),
    sa.CheckConstraint("told IN ('open', 'closed', 'flapping', 'snoozed')", name="told_is_known"),
    comment="What somebody should look at. Never two open ones of the same kind and key.",
)
sa.Index("uq_alerts_open", alerts.c.kind, alerts.c.key, unique=True, postgresql_where=alerts.c.closed_at.is_(None))
sa.Index("ix_alerts_untold", alerts.c.id, postgresql_where=alerts.c.told.in_(("flapping", "snoozed")))

alert_events = sa.Table(
    "alert_events",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("alert_id", sa.BigInteger, sa.ForeignKey(alerts.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("by", sa.Text),  # null: the alert itself
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.CheckConstraint(
        "what IN ('opened', 'reopened', 'raised', 'lowered', 'closed', 'acknowledged', 'snoozed', 'unsnoozed', 'flapping', "
        "'settled')",
        name="what_is_known",
    ),
    comment="What happened to an alert, and who did it.",
)
sa.Index("ix_alert_events_alert_id_at", alert_events.c.alert_id, alert_events.c.at)

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
