SELECT
    computed_at AS time,
    CASE reason WHEN '' THEN 'all' ELSE replace(reason, '_', ' ') END AS metric,
    value AS "escalation rate"
FROM estimates
WHERE metric = 'escalation_rate' AND tier IN (${tier:sqlstring}) AND mode IN (${mode:sqlstring}) AND $__timeFilter(computed_at)
ORDER BY computed_at, reason
