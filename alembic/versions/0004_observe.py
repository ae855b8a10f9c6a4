"""Mode observe: what a sample says about the tier that was decided for, and figures of the two modes kept apart.

Revision: 0004. Follows: 0003. Rows that are there already are of mode route. Primary keys of three roll-up tables grow by
the mode; they are built anew, which takes about a second per million rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_SUMS = """
    requests cost_usd cost_usd_squared sampled mirrored judged abstained failed labelled w wp v vp vy ww wwp
    wwpp wv wvp wvpp wvy wvpy vv vvp vvpp vvy vvpy u_w u_v u_vy u_ww u_wv u_wvy u_vv u_vvy priced d d_ref
    d_served dd dd_ref dd_served dd_ref_ref dd_ref_served dd_served_served
"""
_KEYS = {
    "rollups": ["bucket_start", "tier", "model", "query_type", "feature", "band"],
    "rollup_routes": ["bucket_start", "predicted_tier", "served_tier", "reason", "status"],
    "rollup_shadow": ["bucket_start", "served_tier", "arm", "state"],
}


def upgrade() -> None:
    op.add_column("samples", sa.Column("mode", sa.Text(), server_default="route", nullable=False))
    op.add_column("samples", sa.Column("decided_tier", sa.Text(), nullable=True))
    op.add_column("samples", sa.Column("decided_pi", sa.Double(), nullable=True))
    op.add_column("samples", sa.Column("decided_eta", sa.Double(), nullable=True))
    op.add_column("samples", sa.Column("decided_label_drawn", sa.Boolean(), server_default=sa.false(), nullable=False))
    for table, key in _KEYS.items():
        op.add_column(table, sa.Column("mode", sa.Text(), server_default="route", nullable=False))
        op.drop_constraint(op.f(f"pk_{table}"), table, type_="primary")
        op.create_primary_key(op.f(f"pk_{table}"), table, [*key, "mode"])
    op.create_table(
        "rollup_observed",
        sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("served_tier", sa.Text(), nullable=False),
        sa.Column("query_type", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Double(), server_default="0", nullable=False) for name in _SUMS.split()),
        sa.PrimaryKeyConstraint(
            "bucket_start", "tier", "served_tier", "query_type", "feature", "band", name=op.f("pk_rollup_observed")
        ),
        comment="Mode observe, by the tier decided for: its answers take the place of the reference in the priced sums.",
    )


def downgrade() -> None:
    op.drop_table("rollup_observed")
    for table, key in _KEYS.items():
        # What is left is of mode route; the other rows have no place in the narrower key.
        op.execute(sa.text(f"DELETE FROM {table} WHERE mode <> 'route'"))  # noqa: S608 - names of this module
        op.drop_constraint(op.f(f"pk_{table}"), table, type_="primary")
        op.create_primary_key(op.f(f"pk_{table}"), table, key)
        op.drop_column(table, "mode")
    for name in ("decided_label_drawn", "decided_eta", "decided_pi", "decided_tier", "mode"):
        op.drop_column("samples", name)
