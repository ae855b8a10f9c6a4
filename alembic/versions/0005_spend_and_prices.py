"""Spend by day, calls by day, prices as they were seen, and the sums behind "what would moving down lose and save?".

Money becomes exact: a column of the type numeric without a scale keeps every digit, where numeric(18, 9) rounds the price of
a few cached tokens. Taking the scale away rewrites nothing.

Revision: 0005. Follows: 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

MOVE_SUMS = ("pairs", "w", "wd", "ww", "wwd", "wwdd", "ws", "wc", "wwss", "wwsc", "wwcc")


def upgrade() -> None:
    op.alter_column("exchanges", "cost_usd", type_=sa.Numeric(), existing_nullable=False)
    op.alter_column("rollup_routes", "cost_usd", type_=sa.Numeric(), existing_nullable=False)
    op.create_table(
        "rollup_spend",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("query_type", sa.Text(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("dimension", "day", "name", "tier", "query_type", name=op.f("pk_rollup_spend")),
        comment="What requests of a UTC day cost, by who and what caused them; exact.",
    )
    op.create_table(
        "rollup_calls",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("day", "tier", "provider", "model", name=op.f("pk_rollup_calls")),
        comment="Calls to models on a UTC day, failed ones that were billed included; exact.",
    )
    op.create_table(
        "rollup_moves",
        sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("query_type", sa.Text(), nullable=False),
        sa.Column("served_tier", sa.Text(), nullable=False),
        sa.Column("other_tier", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in MOVE_SUMS),
        sa.PrimaryKeyConstraint(
            "bucket_start", "query_type", "served_tier", "other_tier", "arm", name=op.f("pk_rollup_moves")
        ),
        comment="Served answers and other tiers' answers to the same requests: loss and cost, weighted.",
    )
    op.create_table(
        "prices",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("input_usd_per_mtok", sa.Numeric(), nullable=False),
        sa.Column("output_usd_per_mtok", sa.Numeric(), nullable=False),
        sa.Column("cached_usd_per_mtok", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "model", "starts_at", "seen_at", name=op.f("pk_prices")),
        comment="Append-only: each price as it was seen, with the instant from which on it holds.",
    )
    op.execute(
        """
        CREATE FUNCTION shadow_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER prices_are_append_only BEFORE UPDATE OR DELETE ON prices "
        "FOR EACH STATEMENT EXECUTE FUNCTION shadow_refuse_change()"
    )
    # What was spent before this revision. Calls are not filled in: the provider of a plain exchange was not kept.
    for dimension, column in (
        ("user", "user_id"),
        ("feature", "feature"),
        ("session", "session_id"),
        ("key", "key_id"),
    ):
        op.execute(
            f"""
            INSERT INTO rollup_spend
            SELECT (started_at AT TIME ZONE 'UTC')::date, '{dimension}', coalesce({column}, ''), coalesce(served_tier, ''),
                   query_type, count(*), sum(prompt_tokens), sum(completion_tokens), sum(cost_usd)
            FROM exchanges GROUP BY 1, 3, 4, 5
            """  # noqa: S608 - names from the lines above
        )


def downgrade() -> None:
    op.drop_table("prices")
    op.execute("DROP FUNCTION shadow_refuse_change()")
    op.drop_table("rollup_moves")
    op.drop_table("rollup_calls")
    op.drop_table("rollup_spend")
    op.alter_column("rollup_routes", "cost_usd", type_=sa.Numeric(18, 9), existing_nullable=False)
    op.alter_column("exchanges", "cost_usd", type_=sa.Numeric(18, 9), existing_nullable=False)
