SELECT
    CASE feature WHEN '' THEN 'not named' ELSE feature END AS feature,
    query_type AS "query type",
    sum(requests) AS requests,
    sum(cost_usd) AS spend
FROM rollups
WHERE tier IN (${tier:sqlstring}) AND $__timeFilter(bucket_start)
GROUP BY 1, 2
HAVING sum(requests) > 0
ORDER BY 4 DESC, 1, 2
LIMIT 50
