WITH moved AS (
    SELECT company_id, at, tokens, user_id, template_id, tracker_id
    FROM generation_events WHERE at >= $1 AND at < $2
), sums AS (
    INSERT INTO generation_sums AS known (company_id, dimension, grain, start, key, prompts, tokens)
    SELECT company_id, dimension, grain, date_trunc(grain, at, 'UTC'), key, count(*), sum(tokens)
    FROM moved
    CROSS JOIN LATERAL (VALUES ('company', company_id), ('user', user_id), ('template', template_id),
        ('tracker', tracker_id)) AS counted (dimension, key)
    CROSS JOIN (VALUES ('hour'), ('day'), ('month')) AS grains (grain)
    WHERE key IS NOT NULL AND (grain <> 'hour' OR dimension = 'company')
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (company_id, dimension, grain, start, key) DO UPDATE
    SET prompts = known.prompts + excluded.prompts, tokens = known.tokens + excluded.tokens
)
UPDATE generation_folds SET folded_until = $2
