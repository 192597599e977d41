-- A row if what waits and what is stored are not the same up to a version. $1 dataset, $2 version.
WITH here AS (
    SELECT row_index, since, CASE WHEN until <= $2 THEN until END AS until, cells
    FROM dataset_rows WHERE dataset_id = $1 AND since <= $2
), there AS (
    SELECT row_index, since, CASE WHEN until <= $2 THEN until END AS until, cells
    FROM staged_rows WHERE since <= $2
)
SELECT COALESCE(here.row_index, there.row_index) AS number
FROM here FULL JOIN there
    ON here.row_index = there.row_index AND here.since = there.since
WHERE here.cells IS DISTINCT FROM there.cells OR here.until IS DISTINCT FROM there.until
LIMIT 1
