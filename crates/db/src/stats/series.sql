-- Prompts and their tokens by stretch of time: what was added up before, and what came since.
SELECT date_trunc($4, counted.at, 'UTC') AS at, sum(prompts)::bigint AS prompts, sum(tokens)::bigint AS tokens
FROM (
    SELECT hour AS at, prompts, tokens FROM generation_hours
    WHERE company_id = $1 AND hour >= $2 AND hour < $3
    UNION ALL
    SELECT at, 1, tokens FROM generation_events
    WHERE company_id = $1 AND at >= $2 AND at < $3 AND at >= (SELECT folded_until FROM generation_folds)
) AS counted
GROUP BY 1 ORDER BY 1
