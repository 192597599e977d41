-- How many rows of a version have no value in some columns.
-- $1 dataset, $2 version, $3 the places of the columns, from 1.
SELECT wanted.place, count(*) AS count
FROM dataset_rows r, unnest($3) AS wanted (place)
WHERE r.dataset_id = $1 AND r.since <= $2 AND (r.until IS NULL OR r.until > $2)
  AND r.cells[wanted.place] IS NULL
GROUP BY wanted.place
ORDER BY wanted.place
