"""Which tables hold skipped labels and the gold set with its daily verdicts? The third part of `shadow.store.schema`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

from shadow.store.schema import Instant, Money, labels, metadata, samples

sa.Index("ix_labels_reviewer_labelled_at", labels.c.reviewer, labels.c.labelled_at)
sa.Index(
    "ix_samples_for_label",
    samples.c.started_at,
    postgresql_where=sa.or_(samples.c.label_drawn, samples.c.decided_label_drawn),
)

label_skips = sa.Table(
    "label_skips",
    metadata,
    sa.Column("item_id", UUID, primary_key=True),  # of a sample, or the key of a gold item
    sa.Column("tier", sa.Text, primary_key=True),
    sa.Column("reviewer", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("skipped_at", Instant, nullable=False),
    comment="Answers of which a reviewer could not tell whether they are acceptable. No label.",
)
sa.Index("ix_label_skips_reviewer_skipped_at", label_skips.c.reviewer, label_skips.c.skipped_at)

label_extras = sa.Table(
    "label_extras",
    metadata,
    sa.Column("request_id", UUID, sa.ForeignKey("samples.request_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("stratum", sa.Text, nullable=False),
    sa.Column("eta", sa.Double),  # chance that a sample on which the panel doubts is labelled; null in other strata
    sa.Column("added_at", Instant, nullable=False),
    sa.CheckConstraint("stratum IN ('rated', 'doubt', 'other')", name="stratum_is_known"),
    comment="Labelled samples that the self-weighting draw had not chosen: in no estimate of accuracy.",
)

gold_versions = sa.Table(
    "gold_versions",
    metadata,
    sa.Column("version", sa.Integer, sa.Identity(), primary_key=True),
    sa.Column("content_hash", sa.Text, nullable=False, unique=True),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("items", sa.Integer, nullable=False),
    comment="Append-only: a gold set is frozen as it is imported, the highest version is in force.",
)

gold_items = sa.Table(
    "gold_items",
    metadata,
    sa.Column("version", sa.Integer, sa.ForeignKey("gold_versions.version"), primary_key=True),
    sa.Column("item_id", sa.Text, primary_key=True),
    sa.Column(
        "key", UUID, nullable=False, index=True
    ),  # of its content: reviewers are shown it in place of a sample's id
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),
    sa.Column("context", sa.Text),
    sa.Column("query_type", sa.Text),
    sa.Column("label", sa.SmallInteger, nullable=False),
    sa.Column("reference_label", sa.SmallInteger),
    sa.CheckConstraint("label IN (0, 1)", name="label_is_binary"),
    sa.CheckConstraint("reference_label IN (0, 1)", name="reference_label_is_binary"),
)

gold_runs = sa.Table(
    "gold_runs",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("version", sa.Integer, sa.ForeignKey("gold_versions.version"), primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ran_at", Instant, nullable=False),
    sa.Column("cost_usd", Money, nullable=False, server_default="0"),
    sa.CheckConstraint("state IN ('done', 'shed')", name="state_is_known"),
)

gold_verdicts = sa.Table(
    "gold_verdicts",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("judge", sa.Text, primary_key=True),  # judge@version, or the panel with its judges
    sa.Column("item_id", sa.Text, primary_key=True),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("score", sa.Double),
    sa.Column("orders_agree", sa.Boolean),  # null where the judge does not ask in both orders, or was not heard in both
    sa.ForeignKeyConstraint(["day", "version"], ["gold_runs.day", "gold_runs.version"], ondelete="CASCADE"),
    sa.CheckConstraint("verdict IN ('accept', 'reject', 'abstain')", name="verdict_is_known"),
)

gold_figures = sa.Table(
    "gold_figures",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("judge", sa.Text, primary_key=True),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("decided", sa.Integer, nullable=False),
    sa.Column("figures", JSONB, nullable=False),  # name -> {value, low, high, n}, value null where it is not defined
    sa.ForeignKeyConstraint(["day", "version"], ["gold_runs.day", "gold_runs.version"], ondelete="CASCADE"),
)
