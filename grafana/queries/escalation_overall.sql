SELECT computed_at AS time, value AS escalated
FROM estimates
WHERE metric = 'escalation_rate' AND tier = '' AND reason = '' AND mode IN (${mode:sqlstring}) AND $__timeFilter(computed_at)
ORDER BY computed_at
