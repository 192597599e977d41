-- Ends a job for good: $3 is the class of its failure, $4 the sentence. Its document fails with it.
WITH buried AS (
    UPDATE jobs SET
        state = 'dead', error_class = $3, error_message = $4, finished_at = clock_timestamp(),
        dispatched_at = NULL, lease_token = NULL, lease_until = NULL, worker = NULL
    WHERE id = $1 AND lease_token = $2 AND state = 'running'
    RETURNING kind, subject_id
)
UPDATE documents SET status = 'failed', error_code = $3, error = $4
FROM buried b
WHERE documents.id = b.subject_id AND b.kind IN ('documents.extract', 'documents.embed')
