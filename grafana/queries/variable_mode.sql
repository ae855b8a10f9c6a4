SELECT mode FROM rollup_routes WHERE bucket_start > now() - interval '7 days'
UNION
SELECT mode FROM rollup_routes_daily
ORDER BY mode DESC
