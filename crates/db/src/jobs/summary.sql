-- How many jobs of each kind are queued, running and dead, and since when the oldest of those that wait has
-- been due; of company $1, or of all. Settled jobs are not looked at.
SELECT kind, count(*) FILTER (WHERE state = 'queued') AS queued,
       count(*) FILTER (WHERE state = 'running') AS running,
       count(*) FILTER (WHERE state = 'dead') AS dead,
       min(run_at) FILTER (WHERE state = 'queued' AND run_at <= clock_timestamp()) AS oldest_due
FROM jobs
WHERE state IN ('queued', 'running', 'dead') AND ($1 IS NULL OR company_id = $1)
GROUP BY kind
