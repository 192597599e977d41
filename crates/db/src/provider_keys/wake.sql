-- Makes jobs of company $1 due that met the pause of key $2, and the lanes of runs that wait for a time; names
-- these runs.
WITH live AS (
    SELECT runs.id FROM runs
    WHERE runs.company_id = $1 AND runs.status IN ('queued', 'running')
      AND (EXISTS (SELECT FROM run_columns c WHERE c.run_id = runs.id AND c.not_before > clock_timestamp())
           OR EXISTS (SELECT FROM jobs WHERE jobs.subject_id = runs.id AND jobs.state = 'queued' AND jobs.wait_key = $2))
), asleep AS (
    SELECT id FROM jobs
    WHERE company_id = $1 AND state = 'queued'
      AND (wait_key = $2 OR (kind = 'runs.lane' AND run_at > clock_timestamp() AND subject_id IN (SELECT id FROM live)))
    ORDER BY id FOR UPDATE
), woken AS (
    UPDATE jobs SET run_at = clock_timestamp(), wait_reason = NULL, wait_key = NULL
    WHERE id IN (SELECT id FROM asleep)
)
SELECT id FROM live ORDER BY id
