-- The workers that were heard of within two minutes; after three beats that were missed they are silent.
SELECT *, heard_at < clock_timestamp() - interval '15 seconds' AS is_silent
FROM workers
WHERE heard_at > clock_timestamp() - interval '2 minutes'
ORDER BY started_at, name
