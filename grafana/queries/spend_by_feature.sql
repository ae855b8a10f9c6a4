SELECT
    CASE feature WHEN '' THEN 'not named' ELSE feature END AS feature,
    query_type AS "query type",
    sum(requests) AS requests,
    sum(cost_usd) AS spend
FROM rollup_spans($__timeFrom(), $__timeTo()) AS s
JOIN LATERAL (
    SELECT tier, feature, query_type, mode, requests, cost_usd FROM rollups_daily WHERE s.daily AND bucket_start = s.span_start
    UNION ALL
    SELECT tier, feature, query_type, mode, requests, cost_usd FROM rollups WHERE NOT s.daily AND bucket_start >= s.span_start AND bucket_start < s.span_end
) AS r ON true
WHERE tier IN (${tier:sqlstring}) AND mode IN (${mode:sqlstring})
GROUP BY 1, 2
HAVING sum(requests) > 0
ORDER BY 4 DESC, 1, 2
LIMIT 50
