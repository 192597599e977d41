-- Before issues $2 of tracker $1 are stored: whoever goes by one of their keys and is another issue, or
-- goes by another key from now on, lets go of its own. An older state than what is stored takes none, nor
-- does an issue that was found to be gone after the tracker was asked ($3).
WITH sent AS (
    SELECT DISTINCT ON (external_id) external_id, ext_key, tracker_updated_at
    FROM jsonb_to_recordset($2) AS sent (external_id text, ext_key text, tracker_updated_at timestamptz)
), taking AS (
    SELECT sent.* FROM sent
    LEFT JOIN issues mine ON mine.tracker_id = $1 AND mine.external_id = sent.external_id
    WHERE mine.id IS NULL
       OR ((sent.tracker_updated_at IS NULL OR mine.tracker_updated_at <= sent.tracker_updated_at)
           AND (mine.gone_at IS NULL OR mine.gone_at <= $3))
)
UPDATE issues SET key_lost = true
FROM taking
WHERE issues.tracker_id = $1 AND NOT issues.key_lost
  AND ((issues.ext_key = taking.ext_key AND issues.external_id <> taking.external_id)
    OR (issues.external_id = taking.external_id AND issues.ext_key <> taking.ext_key))
