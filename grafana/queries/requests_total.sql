SELECT
    coalesce(sum(requests) FILTER (WHERE status = 'answered'), 0) AS answered,
    coalesce(sum(requests) FILTER (WHERE status = 'failed'), 0) AS failed,
    coalesce(sum(requests) FILTER (WHERE status = 'cancelled'), 0) AS cancelled
FROM rollup_routes
WHERE $__timeFilter(bucket_start)
