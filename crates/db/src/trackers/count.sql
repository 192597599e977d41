-- Adds to round $1 what a step of it did: $2 issues came, $3 were stored, $4 stood so already, $5 could not
-- be read (of which $8 names the first), $6 are gone, and $7 calls were made.
UPDATE tracker_syncs SET
    fetched = fetched + $2, stored = stored + $3, unchanged = unchanged + $4, unreadable = unreadable + $5,
    gone = gone + $6, requests = requests + $7,
    broken = CASE WHEN jsonb_array_length(broken) < 50 THEN broken || $8 ELSE broken END
WHERE id = $1
