-- How far the next fold goes: over so many events, or to the horizon.
WITH horizon AS MATERIALIZED (SELECT changes_horizon() AS at),
next AS (
    SELECT events.at FROM generation_events AS events, generation_folds, horizon
    WHERE events.at > folded_until AND events.at < horizon.at
    ORDER BY events.at OFFSET $1 LIMIT 1
)
SELECT folded_until AS since,
    greatest(folded_until, coalesce((SELECT at FROM next), (SELECT at FROM horizon))) AS until,
    EXISTS (SELECT FROM next) AS is_more
FROM generation_folds FOR UPDATE
