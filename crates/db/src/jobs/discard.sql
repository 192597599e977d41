-- Gives up dead or waiting jobs: those of $1, or all dead ones when $1 is empty, of kind $2, company $3 and
-- class of failure $5 where given, at most $4, the oldest first. A document that still waited for its job
-- says so.
WITH picked AS (
    SELECT id FROM jobs
    WHERE (state = 'dead' OR (state = 'queued' AND id = ANY($1)))
      AND (cardinality($1) = 0 OR id = ANY($1))
      AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR company_id = $3)
      AND ($5 IS NULL OR error_class = $5)
    ORDER BY id LIMIT $4 + 1 FOR UPDATE SKIP LOCKED
), placed AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place FROM picked
), given_up AS (
    UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp(), dispatched_at = NULL
    FROM placed
    WHERE jobs.id = placed.id AND placed.place <= $4
    RETURNING jobs.id, jobs.kind, jobs.subject_id, jobs.company_id
), failed AS (
    UPDATE documents SET status = 'failed', error_code = 'discarded',
        error = 'Processing was called off. Reprocess the document to start it again.'
    FROM given_up
    WHERE documents.id = given_up.subject_id AND documents.status IN ('pending', 'processing')
      AND given_up.kind IN ('documents.extract', 'documents.embed')
)
SELECT company_id, array_agg(id ORDER BY id) AS ids, (SELECT count(*) FROM picked) > $4 AS more
FROM given_up GROUP BY company_id ORDER BY company_id
