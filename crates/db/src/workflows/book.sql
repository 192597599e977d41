-- Books a step of execution $1, whose job $2 is held with the token $3: tasks that ended ($4, a list of
-- objects), places that are skipped ($5) and why ($6), places that begin ($7), and, with the last step, where
-- the execution stands then ($8) and why ($9, $10). A task changes only from where the step before left it, so
-- that a step that is booked again changes nothing.
WITH held AS MATERIALIZED (
    SELECT id FROM jobs WHERE id = $2 AND lease_token = $3 AND state = 'running' FOR UPDATE
), ended AS (
    UPDATE execution_tasks t SET
        status = e.status, result = e.result, error_code = e.error_code, error_message = e.error_message,
        notice = e.notice, attempts = t.attempts + e.retries, tokens_in = t.tokens_in + e.tokens_in,
        tokens_out = t.tokens_out + e.tokens_out, tokens_thinking = t.tokens_thinking + e.tokens_thinking,
        cost = t.cost + e.cost, priced = t.priced AND e.priced,
        model_version = coalesce(e.model_version, t.model_version),
        finished_at = CASE WHEN e.status <> 'PENDING' THEN clock_timestamp() END
    FROM held, jsonb_to_recordset($4) AS e (
        place smallint, status text, result jsonb, error_code text, error_message text, notice text,
        retries integer, tokens_in bigint, tokens_out bigint, tokens_thinking bigint, cost numeric,
        priced boolean, model_version text)
    WHERE t.execution_id = $1 AND t.place = e.place
      AND (t.status = 'RUNNING' OR t.status = 'PENDING' AND e.status = 'FAILED')
    RETURNING t.place, t.task_id, CASE t.status
        WHEN 'COMPLETED' THEN 'task_completed' WHEN 'FAILED' THEN 'task_failed' ELSE 'task_put_off' END AS kind
), skipped AS (
    UPDATE execution_tasks t SET status = 'SKIPPED', error_code = 'skipped', error_message = $6,
        finished_at = clock_timestamp()
    FROM held WHERE t.execution_id = $1 AND t.place = ANY ($5) AND t.status = 'PENDING'
    RETURNING t.place, t.task_id
), begun AS (
    UPDATE execution_tasks t SET status = 'RUNNING', attempts = t.attempts + 1, error_code = NULL,
        error_message = NULL, started_at = clock_timestamp(), finished_at = NULL
    FROM held WHERE t.execution_id = $1 AND t.place = ANY ($7) AND t.status = 'PENDING'
    RETURNING t.place, t.task_id
), told AS (
    SELECT row_number() OVER (ORDER BY part, place) AS turn, kind, task_id
    FROM (
        SELECT 1 AS part, place, kind, task_id FROM ended
        UNION ALL SELECT 2, place, 'task_skipped', task_id FROM skipped
        UNION ALL SELECT 3, place, 'task_started', task_id FROM begun
        UNION ALL SELECT 4, 0, 'execution_' || $8, NULL FROM held WHERE $8 IS NOT NULL) parts
), execution AS (
    UPDATE executions SET
        last_event = last_event + (SELECT count(*) FROM told), status = coalesce($8, status),
        error_code = $9, error_message = $10,
        finished_at = CASE WHEN $8 IS NOT NULL THEN clock_timestamp() END
    FROM held WHERE executions.id = $1
    RETURNING last_event - (SELECT count(*) FROM told) AS before
), events AS (
    INSERT INTO execution_events (execution_id, number, kind, task_id)
    SELECT $1, execution.before + told.turn, told.kind, told.task_id FROM told, execution
), done AS (
    UPDATE jobs SET state = 'done', finished_at = clock_timestamp(), lease_token = NULL, lease_until = NULL,
        error_class = NULL, error_message = NULL
    FROM held WHERE jobs.id = held.id AND $8 IS NOT NULL
)
SELECT count(*) AS held FROM held
