"""How do control samples become additive sums? The roll-up's statement; what the sums mean: `shadow.statistics.noise_floor`.

A control sample is one that was drawn to ask the reference a second time. In mode observe the answer that counts is that of the
tier decided for; both draws hang on one number, so the pair is as likely as the rarer of the two.
"""

from __future__ import annotations

NOISE = """
WITH control AS (
    SELECT coalesce(s.decided_tier, s.served_tier) AS tier, s.query_type, s.mode, s.state,
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
    WHERE s.started_at >= :start AND s.started_at < :end
      AND again ->> 0 = s.reference_tier AND again ->> 1 = '1'
      AND coalesce(s.decided_tier, s.served_tier) <> s.reference_tier
)
INSERT INTO rollup_noise (bucket_start, tier, query_type, mode, control, pairs, abstained, failed,
                          w, ww, wd, wr, wwd, wwr, wwdd, wwdr, wwrr)
SELECT CAST(:start AS timestamptz), tier, query_type, mode, count(*), count(*) FILTER (WHERE decided),
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
FROM control GROUP BY 2, 3, 4
"""
