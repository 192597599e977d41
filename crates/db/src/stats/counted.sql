-- Prompts and their tokens, of the company or told apart by $4, from $2 until $3: what was added up, by months
-- from $5 until $6 and by stretches of $7 around them, and what came since.
WITH counted AS (
    SELECT start AS at, key, prompts, tokens FROM generation_sums
    WHERE company_id = $1 AND dimension = $4 AND grain = 'month' AND start >= $5 AND start < $6
    UNION ALL
    SELECT start, key, prompts, tokens FROM generation_sums
    WHERE company_id = $1 AND dimension = $4 AND grain = $7 AND start >= $2 AND start < $5
    UNION ALL
    SELECT start, key, prompts, tokens FROM generation_sums
    WHERE company_id = $1 AND dimension = $4 AND grain = $7 AND start >= $6 AND start < $3
    UNION ALL
    SELECT at, CASE $4 WHEN 'company' THEN company_id WHEN 'user' THEN user_id
        WHEN 'template' THEN template_id ELSE tracker_id END, 1, tokens
    FROM generation_events
    WHERE company_id = $1 AND at >= $2 AND at < $3 AND at >= (SELECT folded_until FROM generation_folds)
)
