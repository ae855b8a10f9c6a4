-- By hour; by day where more than a week is shown, from compacted days. What only answered requests cost, as in the other tables.
SELECT $__timeGroup(bucket_start, '1h') AS time, served_tier AS metric, sum(cost_usd) AS "spend"
FROM rollup_routes
WHERE $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '7 days' AND $__timeFilter(bucket_start)
    AND status = 'answered' AND served_tier IN (${tier:sqlstring}) AND mode IN (${mode:sqlstring})
GROUP BY 1, 2
UNION ALL
SELECT date_trunc('day', r.bucket_start, 'UTC') AS time, served_tier AS metric, sum(cost_usd) AS "spend"
FROM rollup_spans($__timeFrom(), $__timeTo()) AS s
JOIN LATERAL (
    SELECT bucket_start, served_tier, status, mode, cost_usd FROM rollup_routes_daily
    WHERE s.daily AND bucket_start = s.span_start
    UNION ALL
    SELECT bucket_start, served_tier, status, mode, cost_usd FROM rollup_routes
    WHERE NOT s.daily AND bucket_start >= s.span_start AND bucket_start < s.span_end
) AS r ON true
WHERE $__timeTo()::timestamptz - $__timeFrom()::timestamptz > interval '7 days'
    AND status = 'answered' AND served_tier IN (${tier:sqlstring}) AND mode IN (${mode:sqlstring})
GROUP BY 1, 2
ORDER BY 1, 2
