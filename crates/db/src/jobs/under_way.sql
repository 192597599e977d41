-- What runs, and what runs or is handed out, of each kind and owner. Both parts are served by partial
-- indexes.
SELECT kind, fair_key, count(*) FILTER (WHERE is_running) AS running, count(*) AS jobs
FROM (
    SELECT kind, fair_key, false AS is_running FROM jobs WHERE state = 'queued' AND dispatched_at IS NOT NULL
    UNION ALL
    SELECT kind, fair_key, true FROM jobs WHERE state = 'running') busy
GROUP BY kind, fair_key
