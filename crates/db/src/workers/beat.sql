-- Worker $1 on host $2, of version $3, performs the kinds $4 and is about to end if $5. Those that were silent
-- for two minutes are forgotten; whoever is locked is seen to by somebody else.
WITH gone AS (
    DELETE FROM workers WHERE name IN (
        SELECT name FROM workers
        WHERE heard_at < clock_timestamp() - interval '2 minutes' AND name <> $1
        FOR UPDATE SKIP LOCKED)
)
INSERT INTO workers (name, host, version, kinds, draining_since)
VALUES ($1, $2, $3, $4, CASE WHEN $5 THEN clock_timestamp() END)
ON CONFLICT (name) DO UPDATE SET heard_at = clock_timestamp(),
    draining_since = coalesce(workers.draining_since, excluded.draining_since)
