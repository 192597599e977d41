-- How many jobs of each kind are in which state, and how long the oldest of those that wait has been
-- due; what a company paused itself is not late. Settled jobs are not looked at: each part is served by a partial index.
SELECT kind, state, count(*) AS jobs,
       coalesce(extract(epoch FROM clock_timestamp() - min(due)), 0)::double precision AS age_seconds
FROM (
    SELECT kind, 'queued' AS state,
           CASE WHEN run_at <= statement_timestamp() AND (company_id, kind) NOT IN (
               SELECT p.company_id, p.kind FROM company_job_pauses p) IS NOT FALSE THEN run_at END AS due
    FROM jobs WHERE state = 'queued' AND dispatched_at IS NULL
    UNION ALL
    SELECT kind, 'queued', run_at FROM jobs WHERE state = 'queued' AND dispatched_at IS NOT NULL
    UNION ALL
    SELECT kind, 'running', NULL FROM jobs WHERE state = 'running'
    UNION ALL
    SELECT kind, 'dead', NULL FROM jobs WHERE state = 'dead') living
GROUP BY kind, state
