SELECT computed_at AS time, value AS saved, low, high
FROM estimates
WHERE metric = 'net_savings_usd' AND tier = '' AND reason = '' AND mode IN (${mode:sqlstring}) AND $__timeFilter(computed_at)
ORDER BY computed_at
