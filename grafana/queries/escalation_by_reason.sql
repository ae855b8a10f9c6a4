SELECT replace(reason, '_', ' ') AS reason, sum(requests) AS requests
FROM rollup_spans($__timeFrom(), $__timeTo()) AS s
JOIN LATERAL (
    SELECT reason, status, mode, predicted_tier, requests FROM rollup_routes_daily WHERE s.daily AND bucket_start = s.span_start
    UNION ALL
    SELECT reason, status, mode, predicted_tier, requests FROM rollup_routes WHERE NOT s.daily AND bucket_start >= s.span_start AND bucket_start < s.span_end
) AS r ON true
WHERE reason <> '' AND status = 'answered' AND predicted_tier IN (${tier:sqlstring}) AND mode IN (${mode:sqlstring})
GROUP BY 1
ORDER BY 2 DESC, 1
