SELECT replace(reason, '_', ' ') AS reason, sum(requests) AS requests
FROM rollup_routes
WHERE reason <> '' AND status = 'answered' AND predicted_tier IN (${tier:sqlstring}) AND $__timeFilter(bucket_start)
GROUP BY 1
ORDER BY 2 DESC, 1
