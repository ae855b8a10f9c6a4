SELECT
    coalesce(sum(samples), 0) AS sampled,
    coalesce(sum(samples) FILTER (WHERE state IN ('mirrored', 'judged', 'abstained')), 0) AS mirrored,
    coalesce(sum(samples) FILTER (WHERE state = 'judged'), 0) AS judged,
    coalesce(sum(samples) FILTER (WHERE state = 'abstained'), 0) AS abstained,
    coalesce(sum(samples) FILTER (WHERE state = 'failed'), 0) AS failed,
    coalesce(sum(samples) FILTER (WHERE state = 'shed'), 0) AS shed,
    coalesce(sum(samples) FILTER (WHERE state = 'sampled'), 0) AS waiting,
    coalesce(sum(labelled), 0) AS labelled
FROM rollup_spans($__timeFrom(), $__timeTo()) AS s
JOIN LATERAL (
    SELECT served_tier, state, mode, samples, labelled FROM rollup_shadow_daily WHERE s.daily AND bucket_start = s.span_start
    UNION ALL
    SELECT served_tier, state, mode, samples, labelled FROM rollup_shadow WHERE NOT s.daily AND bucket_start >= s.span_start AND bucket_start < s.span_end
) AS r ON true
WHERE served_tier IN (${tier:sqlstring}) AND mode IN (${mode:sqlstring})
