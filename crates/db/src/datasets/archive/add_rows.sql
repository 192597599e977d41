-- Adds the rows of later versions. $1 dataset, $2 the newest version that is here.
INSERT INTO dataset_rows (dataset_id, row_index, since, until, cells)
SELECT $1, row_index, since, until, cells FROM staged_rows WHERE since > $2
