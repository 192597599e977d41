-- By stretch of time, of these people, templates or trackers.
SELECT key, date_trunc($8, at, 'UTC') AS at, sum(prompts)::bigint AS prompts, sum(tokens)::bigint AS tokens
FROM counted WHERE key = ANY ($9) GROUP BY 1, 2 ORDER BY 1, 2
