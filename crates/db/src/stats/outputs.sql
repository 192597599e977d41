-- Outputs by stretch of time.
SELECT date_trunc($4, created_at, 'UTC') AS at, count(*) AS outputs
FROM outputs
-- The second condition is implied by the third, and has an index.
WHERE company_id = $1 AND updated_at >= $2 AND created_at >= $2 AND created_at < $3
GROUP BY 1 ORDER BY 1
