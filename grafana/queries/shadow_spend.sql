-- By hour; by day where more than a week is shown, from compacted days.
SELECT $__timeGroup(bucket_start, '1h') AS time, sum(mirror_usd) AS mirror, sum(judge_usd) AS judge
FROM rollup_shadow
WHERE $__timeTo()::timestamptz - $__timeFrom()::timestamptz <= interval '7 days' AND $__timeFilter(bucket_start)
    AND mode IN (${mode:sqlstring})
GROUP BY 1
UNION ALL
SELECT date_trunc('day', r.bucket_start, 'UTC') AS time, sum(mirror_usd) AS mirror, sum(judge_usd) AS judge
FROM rollup_spans($__timeFrom(), $__timeTo()) AS s
JOIN LATERAL (
    SELECT bucket_start, mode, mirror_usd, judge_usd FROM rollup_shadow_daily WHERE s.daily AND bucket_start = s.span_start
    UNION ALL
    SELECT bucket_start, mode, mirror_usd, judge_usd FROM rollup_shadow
    WHERE NOT s.daily AND bucket_start >= s.span_start AND bucket_start < s.span_end
) AS r ON true
WHERE $__timeTo()::timestamptz - $__timeFrom()::timestamptz > interval '7 days' AND mode IN (${mode:sqlstring})
GROUP BY 1
ORDER BY 1
