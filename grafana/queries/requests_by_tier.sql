-- By bucket, whose width is configuration: here the shortest gap between two of them. By day where more than a week is shown, from
-- compacted days; the first and last day are over the part of them that is shown.
WITH starts AS (
    SELECT DISTINCT bucket_start FROM rollup_routes
    WHERE $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '7 days' AND $__timeFilter(bucket_start)
), gaps AS (
    SELECT bucket_start - lag(bucket_start) OVER (ORDER BY bucket_start) AS gap FROM starts
), width AS (
    SELECT coalesce(extract(epoch FROM min(gap)), 900) / 60.0 AS minutes FROM gaps
), buckets AS (
    SELECT bucket_start AS time, served_tier, sum(requests) / max(minutes) AS rate
    FROM rollup_routes, width
    WHERE $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '7 days' AND $__timeFilter(bucket_start)
        AND mode IN (${mode:sqlstring})
    GROUP BY 1, 2
), days AS (
    SELECT
        date_trunc('day', r.bucket_start, 'UTC') AS time,
        served_tier,
        sum(requests) / (extract(epoch FROM least(date_trunc('day', r.bucket_start, 'UTC') + interval '24 hours', $__timeTo())
            - greatest(date_trunc('day', r.bucket_start, 'UTC'), $__timeFrom())) / 60.0) AS rate
    FROM rollup_spans($__timeFrom(), $__timeTo()) AS s
    JOIN LATERAL (
        SELECT bucket_start, served_tier, mode, requests FROM rollup_routes_daily WHERE s.daily AND bucket_start = s.span_start
        UNION ALL
        SELECT bucket_start, served_tier, mode, requests FROM rollup_routes
        WHERE NOT s.daily AND bucket_start >= s.span_start AND bucket_start < s.span_end
    ) AS r ON true
    WHERE $__timeTo()::timestamptz - $__timeFrom()::timestamptz > interval '7 days' AND mode IN (${mode:sqlstring})
    GROUP BY 1, 2
)
SELECT time, CASE served_tier WHEN '' THEN 'unanswered' ELSE served_tier END AS metric, rate AS "requests a minute"
FROM (SELECT * FROM buckets UNION ALL SELECT * FROM days) AS shown
WHERE served_tier IN (${tier:sqlstring}) OR served_tier = ''
ORDER BY 1, 2
