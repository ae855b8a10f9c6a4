SELECT computed_at AS time, value AS accuracy, low, high
FROM estimates
WHERE metric = 'accuracy' AND tier = '' AND reason = '' AND mode IN (${mode:sqlstring}) AND $__timeFilter(computed_at)
ORDER BY computed_at
