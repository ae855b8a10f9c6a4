"""Sums by tier, query type, band and mode in tables of their own, so that the figures of tiers do not depend on how many features and
models there are; and published figures say which mode they are of.

Revision: 0011. Follows: 0010. The new sums are added up from those that are there, which takes some seconds per million rows. Figures
from before count as mode route, which is what they are of wherever any request was served in it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_KEY = ("bucket_start", "tier", "query_type", "band", "mode")
_SUMS = """
    requests cost_usd cost_usd_squared sampled mirrored judged abstained failed labelled w wp v vp vy ww wwp
    wwpp wv wvp wvpp wvy wvpy vv vvp vvpp vvy vvpy u_w u_v u_vy u_ww u_wv u_wvy u_vv u_vvy priced d d_ref
    d_served dd dd_ref dd_served dd_ref_ref dd_ref_served dd_served_served
"""


def upgrade() -> None:
    op.add_column("estimates", sa.Column("mode", sa.Text(), server_default="route", nullable=False))
    comments = {
        "rollup_strata": "The rows of rollups added up over models and features: what the figures of tiers are computed from.",
        "rollup_strata_daily": "Days of rollup_strata, compacted.",
    }
    for table, comment in comments.items():
        op.create_table(
            table,
            sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
            *(sa.Column(name, sa.Text(), nullable=False) for name in _KEY[1:]),
            *(sa.Column(name, sa.Double(), nullable=False) for name in _SUMS.split()),
            sa.PrimaryKeyConstraint(*_KEY, name=op.f(f"pk_{table}")),
            comment=comment,
        )
        keys, sums = ", ".join(_KEY), _SUMS.split()
        op.execute(
            sa.text(
                f"INSERT INTO {table} ({keys}, {', '.join(sums)}) "  # noqa: S608 - names of this module
                f"SELECT {keys}, {', '.join(f'sum({name})' for name in sums)} "
                f"FROM {table.replace('rollup_strata', 'rollups')} GROUP BY {keys}"
            )
        )


def downgrade() -> None:
    op.drop_table("rollup_strata_daily")
    op.drop_table("rollup_strata")
    op.drop_column("estimates", "mode")
