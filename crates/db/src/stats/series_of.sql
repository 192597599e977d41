-- Prompts and their tokens by stretch of time, of these people, templates or trackers.
SELECT key, date_trunc($4, counted.at, 'UTC') AS at, sum(prompts)::bigint AS prompts, sum(tokens)::bigint AS tokens
FROM (
    SELECT key, day::timestamp AT TIME ZONE 'UTC' AS at, prompts, tokens FROM generation_days
    WHERE company_id = $1 AND dimension = $5 AND key = ANY ($6)
        AND day >= ($2 AT TIME ZONE 'UTC')::date AND day < ($3 AT TIME ZONE 'UTC')::date
    UNION ALL
    SELECT CASE $5 WHEN 'user' THEN user_id WHEN 'template' THEN template_id ELSE tracker_id END, at, 1, tokens
    FROM generation_events
    WHERE company_id = $1 AND at >= $2 AND at < $3 AND at >= (SELECT folded_until FROM generation_folds)
) AS counted
WHERE key = ANY ($6)
GROUP BY 1, 2 ORDER BY 1, 2
