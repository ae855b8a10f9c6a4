SELECT
    tier,
    sum(requests) AS requests,
    sum(mirrored) AS mirrored,
    sum(judged) AS "with a verdict",
    sum(labelled) AS labelled
FROM rollup_spans($__timeFrom(), $__timeTo()) AS s
JOIN LATERAL (
    SELECT tier, mode, requests, mirrored, judged, labelled FROM rollup_strata_daily WHERE s.daily AND bucket_start = s.span_start
    UNION ALL
    SELECT tier, mode, requests, mirrored, judged, labelled FROM rollup_strata WHERE NOT s.daily AND bucket_start >= s.span_start AND bucket_start < s.span_end
) AS r ON true
WHERE tier IN (${tier:sqlstring}) AND mode IN (${mode:sqlstring})
GROUP BY tier
ORDER BY tier
