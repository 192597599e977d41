-- Keeps response $5 (after $6 milliseconds, for $7 dollars) under key $4 for company $1. A key without one
-- is given up if the lane that is job $2 under lease $3 holds it.
WITH ended AS (
    SELECT DISTINCT ON (key) * FROM unnest($4, $5, $6, $7) AS kept (key, reply, latency_ms, cost)
    ORDER BY key, reply IS NULL
), given_up AS (
    DELETE FROM responses r USING ended
    WHERE ended.reply IS NULL AND r.company_id = $1 AND r.key = ended.key AND r.reply IS NULL
      AND r.lane = $2 AND r.token = $3
)
INSERT INTO responses AS r (company_id, key, reply, latency_ms, cost)
SELECT $1, key, reply, latency_ms, cost FROM ended WHERE reply IS NOT NULL
ON CONFLICT (company_id, key) DO UPDATE SET reply = excluded.reply, latency_ms = excluded.latency_ms,
    cost = excluded.cost, lane = NULL, token = NULL, created_at = clock_timestamp()
