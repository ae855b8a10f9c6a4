SELECT computed_at AS time, value AS cost, low, high
FROM estimates
WHERE metric = 'cost_per_success_usd' AND tier = '' AND reason = '' AND mode IN (${mode:sqlstring}) AND $__timeFilter(computed_at)
ORDER BY computed_at
