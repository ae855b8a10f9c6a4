SELECT
    coalesce(sum(requests) FILTER (WHERE status = 'answered'), 0) AS answered,
    coalesce(sum(requests) FILTER (WHERE status = 'failed'), 0) AS failed,
    coalesce(sum(requests) FILTER (WHERE status = 'cancelled'), 0) AS cancelled
FROM rollup_spans($__timeFrom(), $__timeTo()) AS s
JOIN LATERAL (
    SELECT status, mode, requests FROM rollup_routes_daily WHERE s.daily AND bucket_start = s.span_start
    UNION ALL
    SELECT status, mode, requests FROM rollup_routes WHERE NOT s.daily AND bucket_start >= s.span_start AND bucket_start < s.span_end
) AS r ON true
WHERE mode IN (${mode:sqlstring})
