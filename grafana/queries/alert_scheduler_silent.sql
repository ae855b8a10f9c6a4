SELECT extract(epoch FROM now() - max(computed_at))::float8 AS value
FROM estimates
HAVING count(*) > 0
