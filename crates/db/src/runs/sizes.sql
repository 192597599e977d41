-- For each of the first $3 rows of version $2 of dataset $1, how many bytes the values at places $4 have,
-- each counted as often as $5 says.
SELECT coalesce((
    SELECT sum(octet_length(r.cells[named.place]) * named.times)
    FROM unnest($4, $5) AS named (place, times)), 0)::bigint AS bytes
FROM dataset_rows r
WHERE r.dataset_id = $1 AND r.since <= $2 AND (r.until IS NULL OR r.until > $2)
ORDER BY r.row_index LIMIT $3
