-- Writes attempts before their calls are made, as far as the budget of run $3 reaches, in their order:
-- attempt $4 for cell $5, its round $6 and stage $7, of at most $8 dollars. For job $1 under lease $2.
WITH held AS MATERIALIZED (
    SELECT id FROM jobs WHERE id = $1 AND lease_token = $2 AND state = 'running' FOR UPDATE
), run AS MATERIALIZED (
    SELECT id, status, budget, reserved, spent + reserved + unresolved AS promised
    FROM runs WHERE id = $3 AND EXISTS (SELECT FROM held) FOR UPDATE
), line AS (
    SELECT *, sum(amount) OVER (ORDER BY place) AS so_far
    FROM unnest($4, $5, $6, $7, $8) WITH ORDINALITY AS wanted (attempt, cell, round, stage, amount, place)
), granted AS (
    INSERT INTO attempts (id, run_id, cell_id, round, stage, lane, reserved)
    SELECT line.attempt, run.id, line.cell, line.round, line.stage, $1, line.amount
    FROM line CROSS JOIN run
    WHERE run.status IN ('queued', 'running') AND (run.budget IS NULL OR run.promised + line.so_far <= run.budget)
    ON CONFLICT (id) DO NOTHING
    RETURNING id, reserved
), booked AS (
    UPDATE runs SET reserved = runs.reserved + sums.amount
    FROM (SELECT sum(reserved) AS amount FROM granted) sums
    WHERE runs.id = $3 AND sums.amount > 0
)
SELECT line.attempt,
       granted.id IS NOT NULL OR attempts.id IS NOT NULL AS granted,
       run.status IN ('queued', 'running') AS active,
       run.reserved = 0 AND NOT EXISTS (SELECT FROM granted WHERE reserved > 0) AS alone
FROM line CROSS JOIN run
LEFT JOIN granted ON granted.id = line.attempt
LEFT JOIN attempts ON attempts.id = line.attempt
ORDER BY line.place
