SELECT tier
FROM (
    SELECT tier, avg(value) FILTER (WHERE metric = 'cost_per_success_usd') AS dear
    FROM estimates
    WHERE tier <> '' AND computed_at > now() - interval '90 days'
    GROUP BY tier
) AS tiers
ORDER BY dear NULLS LAST, tier
