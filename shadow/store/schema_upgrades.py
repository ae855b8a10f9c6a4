"""Which tables hold upgrades of pinned models, the pairs that speak for or against them, and the pins in force?

A part of `shadow.store.schema`. Moves between states, four eyes and frozen evidence are checked by triggers as well (migration):
whoever writes to the database is held to them.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

from shadow.store.schema import Instant, metadata

_STATES = (
    "'proposed', 'shadowing', 'ready', 'harmed', 'inconclusive', 'approved', 'rejected', 'expired', 'canary', "
    "'promoted', 'rolled_back'"
)

upgrades = sa.Table(
    "upgrades",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("created_at", Instant, nullable=False, server_default=sa.func.now()),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column(
        "pinned", JSONB, nullable=False
    ),  # provider, model, context_tokens, price: as `shadow.upgrades.pins` writes it
    sa.Column("candidate", JSONB, nullable=False),
    sa.Column("design", JSONB, nullable=False),  # rate, label_share, margin, alpha, cap_pairs, canary_share, ...
    sa.Column("proposed_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="proposed"),
    sa.Column("state_since", Instant, nullable=False, server_default=sa.func.now()),
    sa.Column("state_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("progress", JSONB),  # the newest figures, for whoever looks; nothing is decided by them
    sa.Column("evidence", sa.Text),  # canonical JSON, frozen
    sa.Column("evidence_sha256", sa.Text),
    sa.Column("evidence_at", Instant),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_at", Instant),
    sa.CheckConstraint(f"state IN ({_STATES})", name="state_is_known"),
    sa.CheckConstraint("lower(btrim(approved_by)) <> lower(btrim(proposed_by))", name="approver_is_not_proposer"),
    sa.CheckConstraint("btrim(approved_by) <> '' AND btrim(proposed_by) <> ''", name="people_have_names"),
    sa.CheckConstraint(
        "state NOT IN ('approved', 'canary', 'promoted') OR (approved_by IS NOT NULL AND evidence_sha256 IS NOT NULL)",
        name="approved_on_evidence",
    ),
    comment="Candidates for a pinned model: what was proposed, shown, decided and switched, and by whom.",
)
sa.Index(
    "uq_upgrades_active",
    upgrades.c.tier,
    unique=True,
    postgresql_where=upgrades.c.state.in_(["proposed", "shadowing", "ready", "approved", "canary"]),
)

upgrade_pairs = sa.Table(
    "upgrade_pairs",
    metadata,
    sa.Column("request_id", UUID(as_uuid=False), primary_key=True),
    sa.Column("upgrade_id", sa.Integer, sa.ForeignKey("upgrades.id"), nullable=False),
    sa.Column("phase", sa.Text, nullable=False),  # shadow: the pin served; canary: the candidate was to serve
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("query_type", sa.Text, nullable=False),
    sa.Column("feature", sa.Text, nullable=False),
    sa.Column("pi", sa.Double, nullable=False),
    sa.Column("eta", sa.Double, nullable=False),  # 0: nobody is asked
    sa.Column("label_drawn", sa.Boolean, nullable=False),
    sa.Column("served_candidate", sa.Boolean, nullable=False),
    sa.Column("entered_at", Instant),  # from then on the row is frozen
    sa.Column("missing", sa.Text),  # why it says nothing
    sa.Column("judged", sa.Double),  # accept(candidate) - accept(pinned) of the panel; null: undecided
    sa.Column("label", sa.SmallInteger),  # the same of reviewers
    sa.Column("z", sa.Double),  # what was bet on
    sa.Column("costs_usd", JSONB),  # [candidate, pinned]
    sa.Column("seconds", JSONB),
    sa.Column("markers", JSONB),
    sa.Column("panel", sa.Text),
    sa.CheckConstraint("phase IN ('shadow', 'canary')", name="phase_is_known"),
    sa.CheckConstraint("pi > 0 AND pi <= 1", name="pi_is_a_probability"),
    comment="Requests that the pinned model and its candidate both answered; frozen in request order.",
)
sa.Index("ix_upgrade_pairs_upgrade_id_started_at", upgrade_pairs.c.upgrade_id, upgrade_pairs.c.started_at)

tier_pins = sa.Table(
    "tier_pins",
    metadata,
    sa.Column("version", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("created_at", Instant, nullable=False, server_default=sa.func.now()),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("configured", JSONB, nullable=False),  # provider and model that the configuration names first
    sa.Column("pinned", JSONB),  # in its place; null: the configured one
    sa.Column("candidate", JSONB),  # serves `share` of the tier's requests
    sa.Column("share", sa.Double, nullable=False, server_default="0"),
    sa.Column("upgrade_id", sa.Integer, sa.ForeignKey("upgrades.id"), nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.CheckConstraint("share >= 0 AND share <= 1", name="share_is_one"),
    comment="Append-only: the highest version of a tier says which model serves it.",
)
