"""Alerts: acknowledged, snoozed, closed by whom, what was said last, and what happened to each.

Revision: 0020. Follows: 0019. Alerts that are open already are told of at the next look: told is null.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_ADDED = (
    ("reopened_at", sa.DateTime(timezone=True)),
    ("closed_by", sa.Text()),
    ("acknowledged_at", sa.DateTime(timezone=True)),
    ("acknowledged_by", sa.Text()),
    ("snoozed_until", sa.DateTime(timezone=True)),
    ("snoozed_by", sa.Text()),
    ("told", sa.Text()),
    ("told_severity", sa.Text()),
)


def upgrade() -> None:
    for name, kind in _ADDED:
        op.add_column("alerts", sa.Column(name, kind, nullable=True))
    op.add_column("alerts", sa.Column("messages", sa.Integer(), server_default="0", nullable=False))
    op.create_check_constraint(
        op.f("ck_alerts_told_is_known"), "alerts", "told IN ('open', 'closed', 'flapping', 'snoozed')"
    )
    op.create_index(op.f("ix_alerts_closed_at"), "alerts", ["closed_at"])
    op.create_index("ix_alerts_untold", "alerts", ["id"], postgresql_where=sa.text("told IN ('flapping', 'snoozed')"))
    op.create_table(
        "alert_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "what IN ('opened', 'reopened', 'raised', 'lowered', 'closed', 'acknowledged', 'snoozed', 'unsnoozed', "
            "'flapping', 'settled')",
            name=op.f("ck_alert_events_what_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name=op.f("fk_alert_events_alert_id_alerts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_events")),
        comment="What happened to an alert, and who did it.",
    )
    op.create_index("ix_alert_events_alert_id_at", "alert_events", ["alert_id", "at"])


def downgrade() -> None:
    op.drop_table("alert_events")
    op.drop_index("ix_alerts_untold", table_name="alerts")
    op.drop_index(op.f("ix_alerts_closed_at"), table_name="alerts")
    op.drop_constraint(op.f("ck_alerts_told_is_known"), "alerts")
    for name in ("messages", *(name for name, _ in reversed(_ADDED))):
        op.drop_column("alerts", name)
