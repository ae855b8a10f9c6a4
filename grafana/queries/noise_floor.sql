SELECT computed_at AS time, 1 - value AS noise, 1 - high AS low, 1 - low AS high
FROM estimates
WHERE metric = 'self_consistency' AND reason = '' AND mode IN (${mode:sqlstring}) AND $__timeFilter(computed_at)
  AND value IS NOT NULL
ORDER BY computed_at
