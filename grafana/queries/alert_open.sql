SELECT key, severity, id::text AS alert, 1 AS value
FROM alerts
WHERE kind = '{kind}' AND closed_at IS NULL AND (snoozed_until IS NULL OR snoozed_until < now())
ORDER BY id
