SELECT
    computed_at AS time,
    max(value) FILTER (WHERE metric = 'accuracy') AS accuracy,
    max(low) FILTER (WHERE metric = 'accuracy') AS low,
    max(high) FILTER (WHERE metric = 'accuracy') AS high,
    max(value) FILTER (WHERE metric = 'accuracy_raw') AS "judges only"
FROM estimates
WHERE metric IN ('accuracy', 'accuracy_raw') AND reason = '' AND tier IN (${tier:sqlstring}) AND mode IN (${mode:sqlstring}) AND $__timeFilter(computed_at)
GROUP BY computed_at
ORDER BY computed_at
