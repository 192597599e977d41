-- The cells of run $1: the first $4 rows of version $3 of dataset $2, or one row without a dataset, each
-- with $5 columns and $6 repeats.
INSERT INTO cells (id, run_id, column_index, row_index, repeat)
SELECT uuidv7(), $1, c, rows.row_index, r
FROM (
    SELECT 0 AS row_index WHERE $2 IS NULL
    UNION ALL
    (SELECT row_index FROM dataset_rows
     WHERE dataset_id = $2 AND since <= $3 AND (until IS NULL OR until > $3)
     ORDER BY row_index LIMIT $4)
) rows
CROSS JOIN generate_series(0, $6 - 1) r
CROSS JOIN generate_series(0, $5 - 1) c
