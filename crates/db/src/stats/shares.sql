-- The people, templates or trackers with the most prompts of a period.
WITH counted AS (
    SELECT key, prompts, tokens FROM generation_days
    WHERE company_id = $1 AND dimension = $4
        AND day >= ($2 AT TIME ZONE 'UTC')::date AND day < ($3 AT TIME ZONE 'UTC')::date
    UNION ALL
    SELECT CASE $4 WHEN 'user' THEN user_id WHEN 'template' THEN template_id ELSE tracker_id END, 1, tokens
    FROM generation_events
    WHERE company_id = $1 AND at >= $2 AND at < $3 AND at >= (SELECT folded_until FROM generation_folds)
), most AS (
    SELECT key, sum(prompts)::bigint AS prompts, sum(tokens)::bigint AS tokens
    FROM counted WHERE key IS NOT NULL GROUP BY key ORDER BY prompts DESC, key LIMIT $5
)
SELECT most.*, CASE $4
    WHEN 'user' THEN (SELECT name FROM users WHERE users.id = key)
    WHEN 'template' THEN (SELECT name FROM prompt_templates WHERE prompt_templates.id = key)
    ELSE (SELECT name FROM trackers WHERE trackers.id = key)
    END AS name
FROM most ORDER BY prompts DESC, key
