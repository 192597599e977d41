-- Notes the verdict $3 (grade $4) of person $6 on cell $2 of run $1 as judgement $5. Without one the newest
-- grade of the grader counts again, else that of the checks.
WITH standing AS (
    SELECT g.grade, g.source FROM grades g JOIN cells c ON c.id = g.cell_id AND c.round = g.round
    WHERE g.cell_id = $2 AND g.source <> 'manual'
    ORDER BY g.source = 'grader' DESC, g.id DESC LIMIT 1
), noted AS (
    INSERT INTO grades (id, cell_id, round, source, grade, author_id)
    SELECT $5, id, round, 'manual', $4, $6 FROM cells WHERE id = $2
), counted AS (
    UPDATE runs SET last_event = last_event + 1 WHERE id = $1 RETURNING last_event
), told AS (
    INSERT INTO run_events (run_id, number, cell_id, kind) SELECT $1, last_event, $2, 'graded' FROM counted
)
UPDATE cells SET manual_grade = $3,
    grade = coalesce($4, (SELECT grade FROM standing)),
    grade_source = CASE WHEN $4 IS NOT NULL THEN 'manual' ELSE (SELECT source FROM standing) END
WHERE run_id = $1 AND id = $2
