-- Takes back jobs whose worker went silent and counts them; one that has no attempts left dies, and
-- its document with it.
WITH silent AS (
    UPDATE jobs SET
        state = CASE WHEN attempts >= max_attempts THEN 'dead' ELSE 'queued' END,
        error_class = 'worker_lost',
        error_message = 'The worker stopped answering during this attempt.',
        finished_at = CASE WHEN attempts >= max_attempts THEN clock_timestamp() END,
        dispatched_at = NULL, lease_token = NULL, lease_until = NULL, worker = NULL
    WHERE id IN (
        SELECT id FROM jobs WHERE state = 'running' AND lease_until < clock_timestamp()
        LIMIT 1000 FOR UPDATE SKIP LOCKED)
    RETURNING kind, state, subject_id, error_class, error_message
), failed AS (
    UPDATE documents SET status = 'failed', error_code = s.error_class, error = s.error_message
    FROM silent s
    WHERE s.state = 'dead' AND documents.id = s.subject_id
      AND s.kind IN ('documents.extract', 'documents.embed')
)
SELECT count(*) FROM silent
