-- Adds rows to those that wait. $1 their indexes, $2 their values in the form that Postgres writes lists
-- in, $3 since, $4 until.
INSERT INTO staged_rows (row_index, cells, since, until)
SELECT given.row_index, given.cells::text[], given.since, given.until
FROM unnest($1, $2, $3, $4) AS given (row_index, cells, since, until)
