-- Claims a key: one that is new, one whose answer is a day old, or one whose first request never
-- answered within a minute, if this is the same request. No row comes back if it is somebody's.
INSERT INTO idempotency_keys AS standing (user_id, key, request_hash)
VALUES ($1, $2, $3)
ON CONFLICT (user_id, key) DO UPDATE
SET request_hash = excluded.request_hash, status = NULL, answer = NULL, created_at = now()
WHERE standing.created_at < now() - interval '24 hours'
   OR (standing.status IS NULL
       AND standing.request_hash = excluded.request_hash
       AND standing.created_at < now() - interval '60 seconds')
RETURNING created_at
