-- Marks due jobs as dispatched, as many of each kind ($1) as its window ($2) has places for, and
-- takes turns between the owners of the work.
WITH room AS (
    SELECT wanted.kind, greatest(0, wanted.places - count(waiting.id)) AS places
    FROM unnest($1, $2) AS wanted (kind, places)
    LEFT JOIN jobs waiting
        ON waiting.kind = wanted.kind AND waiting.state = 'queued' AND waiting.dispatched_at IS NOT NULL
    WHERE NOT EXISTS (SELECT FROM job_pauses WHERE job_pauses.kind = wanted.kind)
    GROUP BY wanted.kind, wanted.places
), turns AS (
    SELECT jobs.id, jobs.kind, room.places,
           row_number() OVER (PARTITION BY jobs.kind, jobs.fair_key ORDER BY jobs.id) AS turn
    FROM room
    JOIN jobs ON jobs.kind = room.kind AND jobs.state = 'queued' AND jobs.dispatched_at IS NULL
        AND jobs.run_at <= clock_timestamp()
    WHERE room.places > 0
), line AS (
    SELECT id, places, row_number() OVER (PARTITION BY kind ORDER BY turn, id) AS place FROM turns
), picked AS (
    SELECT jobs.id FROM jobs JOIN line ON line.id = jobs.id
    WHERE line.place <= line.places AND jobs.state = 'queued' AND jobs.dispatched_at IS NULL
    FOR UPDATE OF jobs SKIP LOCKED
)
UPDATE jobs SET dispatched_at = clock_timestamp(), epoch = epoch + 1, wait_reason = NULL
FROM picked WHERE jobs.id = picked.id
RETURNING jobs.id, jobs.kind, jobs.epoch
