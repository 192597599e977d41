-- Runs by stretch of time. Their cost is the sum of their attempts: it is kept on the run.
SELECT date_trunc($4, created_at, 'UTC') AS at, count(*) AS runs, sum(cell_count)::bigint AS cells, sum(spent) AS cost
FROM runs
-- The second condition is implied by the third, and has an index.
WHERE company_id = $1 AND updated_at >= $2 AND created_at >= $2 AND created_at < $3
GROUP BY 1 ORDER BY 1
