-- Outputs by stretch of time.
SELECT date_trunc($4, created_at, 'UTC') AS at, count(*) AS outputs
FROM outputs
WHERE company_id = $1 AND created_at >= $2 AND created_at < $3
GROUP BY 1 ORDER BY 1
