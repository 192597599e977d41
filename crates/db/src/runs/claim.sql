-- Takes up to $4 waiting cells of run $3 for the lane that is job $1 under lease $2, in the order of
-- the rows from row $7 on, with their values of version $6 of dataset $5. The run's row is locked before any cell. Of a
-- column that waits for its provider only what is left to be graded is taken: another model judges.
WITH held AS MATERIALIZED (
    SELECT id FROM jobs WHERE id = $1 AND lease_token = $2 AND state = 'running' FOR UPDATE
), run AS MATERIALIZED (
    SELECT id FROM runs
    WHERE id = $3 AND status IN ('queued', 'running') AND EXISTS (SELECT FROM held)
    FOR UPDATE
), parked AS MATERIALIZED (
    SELECT column_index FROM run_columns WHERE run_id = $3 AND not_before > clock_timestamp()
), wanted AS MATERIALIZED (
    SELECT id FROM cells
    WHERE run_id = (SELECT id FROM run) AND status = 'queued' AND row_index >= $7
      AND (not_before IS NULL OR not_before <= clock_timestamp())
      AND (stage = 'grade' OR column_index <> ALL (ARRAY(SELECT column_index FROM parked)))
    ORDER BY row_index, repeat, column_index
    LIMIT $4 FOR UPDATE
), claimed AS (
    UPDATE cells SET status = 'running', lane = $1, claims = claims + 1
    WHERE id = ANY (ARRAY(SELECT id FROM wanted))
    RETURNING id, claims, column_index, row_index, repeat, stage, round, tries, output_raw, output_parsed
), counted AS (
    UPDATE runs SET last_event = last_event + n.cells, status = 'running'
    FROM (SELECT count(*) AS cells FROM wanted) n
    WHERE runs.id = $3 AND n.cells > 0
    RETURNING last_event - n.cells AS last_event
), noted AS (
    INSERT INTO run_events (run_id, number, cell_id, kind)
    SELECT $3, counted.last_event + row_number() OVER (ORDER BY row_index, repeat, column_index), claimed.id, 'started'
    FROM claimed CROSS JOIN counted
)
SELECT claimed.*, dataset_rows.cells AS row_values
FROM claimed
LEFT JOIN dataset_rows ON dataset_rows.dataset_id = $5 AND dataset_rows.row_index = claimed.row_index
    AND dataset_rows.since <= $6 AND (dataset_rows.until IS NULL OR dataset_rows.until > $6)
ORDER BY claimed.row_index, claimed.repeat, claimed.column_index
