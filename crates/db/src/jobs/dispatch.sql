-- Marks due jobs as dispatched, as many of each kind ($1) as its window ($2) has places for, and as one owner
-- may have there and under way ($3). Owners of work take turns: whoever has the least of it comes first, then
-- what waits longest.
--
-- What is paused for a company is left alone: all jobs of a fair key are of one company.
--
-- Its cost follows the owners and the places, not the jobs that wait: `owners` leaps through the index
-- jobs_waiting from one fair key to the next, and each owner offers only its first few jobs. What a
-- round leaves open because of that, the next one fills. Arrays keep the planner from joining the
-- whole table when its statistics are old.
WITH RECURSIVE room AS (
    SELECT wanted.kind, wanted.most, wanted.places - (
        SELECT count(*) FROM jobs
        WHERE jobs.kind = wanted.kind AND jobs.state = 'queued' AND jobs.dispatched_at IS NOT NULL) AS places
    FROM unnest($1, $2, $3) AS wanted (kind, places, most)
    WHERE NOT EXISTS (SELECT FROM job_pauses WHERE job_pauses.kind = wanted.kind)
), owners AS (
    SELECT room.kind, room.places, room.most, first.fair_key, first.run_at, first.company_id
    FROM room CROSS JOIN LATERAL (
        SELECT jobs.fair_key, jobs.run_at, jobs.company_id FROM jobs
        WHERE jobs.kind = room.kind AND jobs.state = 'queued' AND jobs.dispatched_at IS NULL
        ORDER BY jobs.fair_key, jobs.run_at LIMIT 1) first
    WHERE room.places > 0
    UNION ALL
    SELECT owners.kind, owners.places, owners.most, next.fair_key, next.run_at, next.company_id
    FROM owners CROSS JOIN LATERAL (
        SELECT jobs.fair_key, jobs.run_at, jobs.company_id FROM jobs
        WHERE jobs.kind = owners.kind AND jobs.state = 'queued' AND jobs.dispatched_at IS NULL
          AND jobs.fair_key > owners.fair_key
        ORDER BY jobs.fair_key, jobs.run_at LIMIT 1) next
), due AS (
    SELECT kind, places, most, fair_key, 1 + 4 * places / count(*) OVER (PARTITION BY kind) AS offered
    FROM owners
    WHERE run_at <= statement_timestamp()
      AND NOT EXISTS (
          SELECT FROM company_job_pauses p WHERE p.company_id = owners.company_id AND p.kind = owners.kind)
), under_way AS (
    SELECT kind, fair_key, count(*) AS jobs
    FROM (
        SELECT kind, fair_key FROM jobs WHERE state = 'queued' AND dispatched_at IS NOT NULL
        UNION ALL
        SELECT kind, fair_key FROM jobs WHERE state = 'running') busy
    GROUP BY kind, fair_key
), turns AS (
    SELECT job.id, job.run_at, due.kind, due.places, due.most,
           coalesce(under_way.jobs, 0)
               + row_number() OVER (PARTITION BY due.kind, due.fair_key ORDER BY job.run_at, job.id) AS turn
    FROM due
    LEFT JOIN under_way USING (kind, fair_key)
    CROSS JOIN LATERAL (
        SELECT jobs.id, jobs.run_at FROM jobs
        WHERE jobs.kind = due.kind AND jobs.fair_key = due.fair_key AND jobs.state = 'queued'
          AND jobs.dispatched_at IS NULL AND jobs.run_at <= statement_timestamp()
        ORDER BY jobs.run_at, jobs.id LIMIT least(due.offered, due.places)) job
), line AS (
    SELECT id, places, row_number() OVER (PARTITION BY kind ORDER BY turn, run_at, id) AS place FROM turns
    WHERE turn <= most
), picked AS (
    SELECT id FROM jobs
    WHERE id = ANY (ARRAY(SELECT id FROM line WHERE place <= places))
      AND state = 'queued' AND dispatched_at IS NULL
    FOR UPDATE SKIP LOCKED
)
UPDATE jobs SET dispatched_at = clock_timestamp(), epoch = epoch + 1, wait_reason = NULL, wait_key = NULL
WHERE id = ANY (ARRAY(SELECT id FROM picked))
RETURNING id, kind, epoch
