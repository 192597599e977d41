-- Ends rows that a later version no longer has. $1 dataset, $2 the newest version that is here.
UPDATE dataset_rows AS here
SET until = there.until
FROM staged_rows AS there
WHERE here.dataset_id = $1 AND here.row_index = there.row_index AND here.since = there.since
    AND here.until IS NULL AND there.until > $2
