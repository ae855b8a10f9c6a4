SELECT $__timeGroup(bucket_start, '1h') AS time, sum(mirror_usd) AS mirror, sum(judge_usd) AS judge
FROM rollup_shadow
WHERE $__timeFilter(bucket_start)
GROUP BY 1
ORDER BY 1
