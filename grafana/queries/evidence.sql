SELECT
    tier,
    sum(requests) AS requests,
    sum(mirrored) AS mirrored,
    sum(judged) AS "with a verdict",
    sum(labelled) AS labelled
FROM rollups
WHERE tier IN (${tier:sqlstring}) AND $__timeFilter(bucket_start)
GROUP BY tier
ORDER BY tier
