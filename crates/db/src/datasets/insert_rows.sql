-- Adds rows to a dataset. Their values come as texts in the form that Postgres writes lists in, since
-- a list of lists would have to be of one type and size.
-- $1 dataset, $2 the version they first belong to, $3 their indexes, $4 their values.
INSERT INTO dataset_rows (dataset_id, row_index, since, cells)
SELECT $1, given.row_index, $2, given.cells::text[]
FROM unnest($3, $4) AS given (row_index, cells)
