SELECT e.tier, CASE e.reason WHEN '' THEN 'all' ELSE e.reason END AS "query type", e.n AS pairs,
       f.value AS "reference against itself", d.value AS "tier against reference",
       e.value AS excess, e.low, e.high
FROM estimates e
LEFT JOIN estimates f ON f.computed_at = e.computed_at AND f.tier = e.tier AND f.reason = e.reason AND f.metric = 'noise_floor'
LEFT JOIN estimates d ON d.computed_at = e.computed_at AND d.tier = e.tier AND d.reason = e.reason AND d.metric = 'divergence'
WHERE e.metric = 'excess_divergence'
  AND e.computed_at = (SELECT max(computed_at) FROM estimates
                       WHERE metric = 'excess_divergence' AND mode IN (${mode:sqlstring}) AND $__timeFilter(computed_at))
  AND e.tier IN (${tier:sqlstring})
ORDER BY e.tier, e.reason <> '', e.value DESC NULLS LAST
