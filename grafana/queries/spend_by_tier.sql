SELECT $__timeGroup(bucket_start, '1h') AS time, tier AS metric, sum(cost_usd) AS "spend"
FROM rollups
WHERE tier IN (${tier:sqlstring}) AND $__timeFilter(bucket_start)
GROUP BY 1, 2
ORDER BY 1, 2
