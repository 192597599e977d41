-- Gives dead jobs a new round of attempts: those of $1, or all when $1 is empty, of kind $2, company $3 and
-- class of failure $5 where given, at most $4, the oldest first; of several with one dedupe key the newest.
-- With $6 no more than so many become due each second, after those that were spread so before. Their
-- documents are under way again, and their runs by a trigger.
WITH picked AS (
    SELECT dead.id FROM jobs dead
    WHERE dead.state = 'dead' AND (cardinality($1) = 0 OR dead.id = ANY($1))
      AND ($2 IS NULL OR dead.kind = $2) AND ($3 IS NULL OR dead.company_id = $3)
      AND ($5 IS NULL OR dead.error_class = $5)
      AND NOT EXISTS (
          SELECT FROM jobs living
          WHERE living.kind = dead.kind AND living.dedupe_key = dead.dedupe_key
            AND living.state IN ('queued', 'running'))
      AND NOT EXISTS (
          SELECT FROM jobs newer
          WHERE newer.kind = dead.kind AND newer.dedupe_key = dead.dedupe_key
            AND newer.state = 'dead' AND newer.id > dead.id
            AND (cardinality($1) = 0 OR newer.id = ANY($1))
            AND ($5 IS NULL OR newer.error_class = $5))
    ORDER BY dead.id LIMIT $4 + 1 FOR UPDATE SKIP LOCKED
), placed AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place FROM picked
), start AS (
    -- What waits for its time, has failed and was not put off since was spread by an earlier call.
    SELECT greatest(clock_timestamp(), max(run_at) + make_interval(secs => 1 / $6)) AS at
    FROM jobs
    WHERE $6 IS NOT NULL AND state = 'queued' AND dispatched_at IS NULL AND run_at > clock_timestamp()
      AND wait_reason IS NULL AND error_class IS NOT NULL
      AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR company_id = $3) AND ($5 IS NULL OR error_class = $5)
), revived AS (
    UPDATE jobs SET state = 'queued', attempts = 0, finished_at = NULL, dispatched_at = NULL,
        run_at = start.at + make_interval(secs => coalesce((placed.place - 1) / $6, 0)),
        wait_reason = NULL, wait_key = NULL
    FROM placed, start
    WHERE jobs.id = placed.id AND placed.place <= $4
    RETURNING jobs.id, jobs.kind, jobs.subject_id, jobs.company_id
), reopened AS (
    UPDATE documents SET status = 'processing', error_code = NULL, error = NULL
    FROM revived WHERE documents.id = revived.subject_id
      AND revived.kind IN ('documents.extract', 'documents.embed')
)
SELECT company_id, array_agg(id ORDER BY id) AS ids, (SELECT count(*) FROM picked) > $4 AS more
FROM revived GROUP BY company_id ORDER BY company_id
