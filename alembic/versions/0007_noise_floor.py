"""The noise floor: sums over requests that the reference answered twice.

What was sampled before is summed up here, by quarter minutes: any window is a sum of those, too. A bucket that is computed
again replaces them.

Revision: 0007. Follows: 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

SUMS = ("control", "pairs", "abstained", "failed", "w", "ww", "wd", "wr", "wwd", "wwr", "wwdd", "wwdr", "wwrr")


def upgrade() -> None:
    op.create_table(
        "rollup_noise",
        sa.Column("bucket_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("query_type", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), server_default="route", nullable=False),
        *(sa.Column(name, sa.Double(), server_default="0", nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("bucket_start", "tier", "query_type", "mode", name=op.f("pk_rollup_noise")),
        comment="Requests that the reference answered twice: divergence of the served answer and of the second one, "
        "weighted.",
    )
    op.execute(
        """
        WITH control AS (
            SELECT date_bin('15 seconds', s.started_at, 'epoch') AS bucket_start,
                   coalesce(s.decided_tier, s.served_tier) AS tier, s.query_type, s.mode, s.state,
                   1.0::float8 / least((again ->> 2)::float8, coalesce(s.decided_pi, 1)) AS w,
                   coalesce(a.outcome = 'ok' AND second.outcome = 'ok', false) AS obtained,
                   a.probability + second.probability IS NOT NULL AS decided,
                   1 - a.probability AS d, 1 - second.probability AS r
            FROM samples s
            CROSS JOIN LATERAL jsonb_array_elements(s.plan) AS again
            LEFT JOIN answers a ON a.request_id = s.request_id AND a.repeat = 0
                AND a.tier = coalesce(s.decided_tier, s.served_tier)
            LEFT JOIN answers second ON second.request_id = s.request_id AND second.repeat = 1
                AND second.tier = s.reference_tier
            WHERE again ->> 0 = s.reference_tier AND again ->> 1 = '1'
              AND coalesce(s.decided_tier, s.served_tier) <> s.reference_tier
        )
        INSERT INTO rollup_noise
        SELECT bucket_start, tier, query_type, mode, count(*), count(*) FILTER (WHERE decided),
               count(*) FILTER (WHERE NOT decided AND obtained AND state IN ('judged', 'abstained')),
               count(*) FILTER (WHERE NOT decided AND (state IN ('failed', 'shed')
                                                       OR state IN ('judged', 'abstained') AND NOT obtained)),
               coalesce(sum(w) FILTER (WHERE decided), 0),
               coalesce(sum(w * w) FILTER (WHERE decided), 0),
               coalesce(sum(w * d) FILTER (WHERE decided), 0),
               coalesce(sum(w * r) FILTER (WHERE decided), 0),
               coalesce(sum(w * w * d) FILTER (WHERE decided), 0),
               coalesce(sum(w * w * r) FILTER (WHERE decided), 0),
               coalesce(sum(w * w * d * d) FILTER (WHERE decided), 0),
               coalesce(sum(w * w * d * r) FILTER (WHERE decided), 0),
               coalesce(sum(w * w * r * r) FILTER (WHERE decided), 0)
        FROM control GROUP BY 1, 2, 3, 4
        """
    )


def downgrade() -> None:
    op.drop_table("rollup_noise")
