-- What company $1 has under the keys $4. Keys that nobody has, and those whose asker is gone, are taken by
-- the lane that is job $2 under lease $3.
WITH wanted AS (
    SELECT DISTINCT key FROM unnest($4) AS asked (key)
), taken AS (
    INSERT INTO responses AS r (company_id, key, lane, token)
    SELECT $1, key, $2, $3 FROM wanted ORDER BY key
    ON CONFLICT (company_id, key) DO UPDATE SET lane = excluded.lane, token = excluded.token
    WHERE r.reply IS NULL AND NOT EXISTS (
        SELECT FROM jobs WHERE jobs.id = r.lane AND jobs.lease_token = r.token AND jobs.state = 'running'
            AND jobs.lease_until > clock_timestamp())
    RETURNING key
)
SELECT wanted.key, taken.key IS NOT NULL OR (r.reply IS NULL AND r.lane = $2 AND r.token = $3) AS mine, r.reply, r.latency_ms
FROM wanted
LEFT JOIN taken ON taken.key = wanted.key
LEFT JOIN responses r ON r.company_id = $1 AND r.key = wanted.key
