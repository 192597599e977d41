-- Ends an attempt that is to be repeated: $4 names a failure's class (then $5 its message), $6 says what
-- is waited for, $7 names the key if that is paused. What has no attempts left dies, and its document with it.
WITH released AS (
    UPDATE jobs SET
        state = CASE WHEN $4 IS NOT NULL AND attempts >= max_attempts THEN 'dead' ELSE 'queued' END,
        attempts = attempts - CASE WHEN $4 IS NULL THEN 1 ELSE 0 END,
        snoozes = snoozes + CASE WHEN $4 IS NULL THEN 1 ELSE 0 END,
        run_at = $3,
        wait_reason = $6, wait_key = $7,
        error_class = coalesce($4, error_class),
        error_message = coalesce($5, error_message),
        finished_at = CASE WHEN $4 IS NOT NULL AND attempts >= max_attempts THEN clock_timestamp() END,
        dispatched_at = NULL, lease_token = NULL, lease_until = NULL, worker = NULL
    WHERE id = $1 AND lease_token = $2 AND state = 'running'
    RETURNING kind, state, subject_id, error_class, error_message
)
UPDATE documents SET status = 'failed', error_code = r.error_class, error = r.error_message
FROM released r
WHERE r.state = 'dead' AND documents.id = r.subject_id AND r.kind IN ('documents.extract', 'documents.embed')
