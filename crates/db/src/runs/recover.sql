-- Frees the cells of run $3 that nobody works on although they are taken: by this lane (job $1 under lease
-- $2, which has none in hand now), or by one whose job is over.
WITH held AS MATERIALIZED (
    SELECT id FROM jobs WHERE id = $1 AND lease_token = $2 AND state = 'running' FOR UPDATE
), run AS MATERIALIZED (
    SELECT id FROM runs WHERE id = $3 AND EXISTS (SELECT FROM held) FOR UPDATE
), freed AS MATERIALIZED (
    SELECT free_cells(run.id, $1) FROM run
)
SELECT count(*) FROM held LEFT JOIN freed ON true
