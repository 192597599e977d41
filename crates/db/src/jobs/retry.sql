-- Gives dead jobs a new round of attempts: those of $1, or all when $1 is empty, of kind $2 and
-- company $3 where given, at most $4; of several with one dedupe key the newest. Their documents are
-- under way again, and their runs by a trigger.
WITH revived AS (
    UPDATE jobs SET state = 'queued', attempts = 0, run_at = clock_timestamp(), finished_at = NULL,
        dispatched_at = NULL, wait_reason = NULL
    WHERE id IN (
        SELECT dead.id FROM jobs dead
        WHERE dead.state = 'dead' AND (cardinality($1) = 0 OR dead.id = ANY($1))
          AND ($2 IS NULL OR dead.kind = $2) AND ($3 IS NULL OR dead.company_id = $3)
          AND NOT EXISTS (
              SELECT FROM jobs living
              WHERE living.kind = dead.kind AND living.dedupe_key = dead.dedupe_key
                AND living.state IN ('queued', 'running'))
          AND NOT EXISTS (
              SELECT FROM jobs newer
              WHERE newer.kind = dead.kind AND newer.dedupe_key = dead.dedupe_key
                AND newer.state = 'dead' AND newer.id > dead.id
                AND (cardinality($1) = 0 OR newer.id = ANY($1)))
        LIMIT $4 FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, subject_id
), reopened AS (
    UPDATE documents SET status = 'processing', error_code = NULL, error = NULL
    FROM revived WHERE documents.id = revived.subject_id
      AND revived.kind IN ('documents.extract', 'documents.embed')
)
SELECT id FROM revived
