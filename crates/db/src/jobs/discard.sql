-- Gives up dead or waiting jobs: those of $1, or all dead ones when $1 is empty, of kind $2 and
-- company $3 where given, at most $4. A document that still waited for its job says so.
WITH given_up AS (
    UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp(), dispatched_at = NULL
    WHERE id IN (
        SELECT id FROM jobs
        WHERE (state = 'dead' OR (state = 'queued' AND id = ANY($1)))
          AND (cardinality($1) = 0 OR id = ANY($1))
          AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR company_id = $3)
        LIMIT $4 FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, subject_id
), failed AS (
    UPDATE documents SET status = 'failed', error_code = 'discarded',
        error = 'Processing was called off. Reprocess the document to start it again.'
    FROM given_up
    WHERE documents.id = given_up.subject_id AND documents.status IN ('pending', 'processing')
      AND given_up.kind IN ('documents.extract', 'documents.embed')
)
SELECT id FROM given_up
