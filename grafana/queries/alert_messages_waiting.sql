SELECT d.channel AS key, extract(epoch FROM now() - min(n.created_at))::float8 AS value
FROM notification_deliveries AS d
JOIN notifications AS n ON n.id = d.notification_id
WHERE d.state IN ('pending', 'claimed')
GROUP BY d.channel
ORDER BY d.channel
