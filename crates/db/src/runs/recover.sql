-- Frees the cells of run $3 that nobody works on although they are taken: by this lane (job $1 under lease
-- $2, which has none in hand now), or by one whose job is over. How their open calls ended nobody knows:
-- what they may have cost stays promised.
WITH held AS MATERIALIZED (
    SELECT id FROM jobs WHERE id = $1 AND lease_token = $2 AND state = 'running' FOR UPDATE
), run AS MATERIALIZED (
    SELECT id, status FROM runs WHERE id = $3 AND EXISTS (SELECT FROM held) FOR UPDATE
), gone AS MATERIALIZED (
    SELECT DISTINCT cells.lane FROM cells
    WHERE cells.run_id = (SELECT id FROM run) AND cells.status = 'running' AND (
        cells.lane = $1 OR NOT EXISTS (
            SELECT FROM jobs WHERE jobs.id = cells.lane AND jobs.state IN ('queued', 'running')))
), lost AS (
    UPDATE attempts SET state = 'lost', finished_at = clock_timestamp(), error_code = 'worker_lost',
        error_message = 'The worker was stopped during this call; how it ended is not known.'
    WHERE lane = ANY (ARRAY(SELECT lane FROM gone)) AND state = 'open' AND run_id = (SELECT id FROM run)
    RETURNING cell_id, reserved
), freed AS (
    UPDATE cells SET lane = NULL,
        status = CASE WHEN (SELECT status FROM run) IN ('queued', 'running') THEN 'queued' ELSE 'cancelled' END,
        attempt_count = attempt_count + (SELECT count(*) FROM lost WHERE lost.cell_id = cells.id)
    WHERE lane = ANY (ARRAY(SELECT lane FROM gone)) AND status = 'running' AND run_id = (SELECT id FROM run)
), booked AS (
    UPDATE runs SET reserved = runs.reserved - moved.amount, unresolved = unresolved + moved.amount
    FROM (SELECT sum(reserved) AS amount FROM lost) moved
    WHERE runs.id = $3 AND moved.amount > 0
)
SELECT count(*) FROM held
