WITH moved AS (
    SELECT company_id, at, tokens, user_id, template_id, tracker_id
    FROM generation_events WHERE at >= $1 AND at < $2
), hours AS (
    INSERT INTO generation_hours AS known (company_id, hour, prompts, tokens)
    SELECT company_id, date_trunc('hour', at, 'UTC'), count(*), sum(tokens) FROM moved GROUP BY 1, 2
    ON CONFLICT (company_id, hour) DO UPDATE
    SET prompts = known.prompts + excluded.prompts, tokens = known.tokens + excluded.tokens
), days AS (
    INSERT INTO generation_days AS known (company_id, dimension, day, key, prompts, tokens)
    SELECT company_id, dimension, (at AT TIME ZONE 'UTC')::date, key, count(*), sum(tokens)
    FROM moved CROSS JOIN LATERAL
        (VALUES ('user', user_id), ('template', template_id), ('tracker', tracker_id)) AS counted (dimension, key)
    WHERE key IS NOT NULL GROUP BY 1, 2, 3, 4
    ON CONFLICT (company_id, dimension, day, key) DO UPDATE
    SET prompts = known.prompts + excluded.prompts, tokens = known.tokens + excluded.tokens
)
UPDATE generation_folds SET folded_until = $2
