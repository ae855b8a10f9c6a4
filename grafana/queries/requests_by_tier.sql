-- The width of a bucket is configuration; here it is the shortest gap between two of them.
WITH starts AS (
    SELECT DISTINCT bucket_start FROM rollup_routes WHERE $__timeFilter(bucket_start)
), gaps AS (
    SELECT bucket_start - lag(bucket_start) OVER (ORDER BY bucket_start) AS gap FROM starts
), width AS (
    SELECT coalesce(extract(epoch FROM min(gap)), 900) / 60.0 AS minutes FROM gaps
)
SELECT
    bucket_start AS time,
    CASE served_tier WHEN '' THEN 'unanswered' ELSE served_tier END AS metric,
    sum(requests) / max(minutes) AS "requests a minute"
FROM rollup_routes, width
WHERE $__timeFilter(bucket_start) AND (served_tier IN (${tier:sqlstring}) OR served_tier = '')
GROUP BY 1, 2
ORDER BY 1, 2
