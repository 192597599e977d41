-- Everything that is counted, by stretch of time. The cost of a run is the sum of its attempts: it is kept on
-- the run.
SELECT date_trunc($8, done.at, 'UTC') AS at, sum(prompts)::bigint AS prompts, sum(tokens)::bigint AS tokens,
    sum(runs)::bigint AS runs, sum(cells)::bigint AS cells, sum(cost) AS cost, sum(outputs)::bigint AS outputs
FROM (
    SELECT at, prompts, tokens, 0 AS runs, 0 AS cells, 0::numeric AS cost, 0 AS outputs FROM counted
    UNION ALL
    SELECT created_at, 0, 0, 1, cell_count, spent, 0 FROM runs
    -- The second condition is implied by the third, and has an index.
    WHERE company_id = $1 AND updated_at >= $2 AND created_at >= $2 AND created_at < $3
    UNION ALL
    SELECT created_at, 0, 0, 0, 0, 0, 1 FROM outputs
    WHERE company_id = $1 AND created_at >= $2 AND created_at < $3
) AS done
GROUP BY 1 ORDER BY 1
