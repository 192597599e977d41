-- The people, templates or trackers with the most prompts.
, most AS (
    SELECT key, sum(prompts)::bigint AS prompts, sum(tokens)::bigint AS tokens
    FROM counted WHERE key IS NOT NULL GROUP BY key ORDER BY prompts DESC, key LIMIT $8
)
SELECT most.*, CASE $4
    WHEN 'user' THEN (SELECT name FROM users WHERE users.id = key)
    WHEN 'template' THEN (SELECT name FROM prompt_templates WHERE prompt_templates.id = key)
    ELSE (SELECT name FROM trackers WHERE trackers.id = key)
    END AS name
FROM most ORDER BY prompts DESC, key
