SELECT computed_at AS time, tier AS metric, coverage
FROM estimates
WHERE metric = 'accuracy' AND reason = '' AND tier IN (${tier:sqlstring}) AND mode IN (${mode:sqlstring}) AND $__timeFilter(computed_at)
ORDER BY computed_at, tier
