-- Books how calls for cells of run $3 ended, by job $1 under lease $2; $4 is an array of what
-- db::runs::lane::Settled holds. Each counts once: an attempt that is no longer open and a cell that this
-- lane no longer has are left as they are.
WITH held AS MATERIALIZED (
    SELECT id FROM jobs WHERE id = $1 AND lease_token = $2 AND state = 'running' FOR UPDATE
), run AS MATERIALIZED (
    SELECT id, status FROM runs WHERE id = $3 AND EXISTS (SELECT FROM held) FOR UPDATE
), settled AS MATERIALIZED (
    SELECT s.* FROM jsonb_to_recordset($4) AS s (
        place integer, cell uuid, claims integer, attempt uuid, withdrawn boolean, unknown boolean, from_stage text, status text, stage text,
        event text, tries smallint, not_before timestamptz, parked_until timestamptz, output_raw text, output_parsed text,
        grader_output text, checks jsonb, grade integer, grade_source text, grades jsonb, tokens_in integer,
        tokens_out integer, tokens_thinking integer, cost numeric, priced boolean, latency_ms integer,
        latency_bucket smallint, cached boolean, error_code text, error_message text, model_version text,
        response_id text)
    WHERE EXISTS (SELECT FROM run)
), closed AS (
    UPDATE attempts a SET state = CASE WHEN s.unknown THEN 'lost' ELSE 'settled' END,
        finished_at = clock_timestamp(), cost = CASE WHEN NOT s.unknown THEN s.cost END, priced = s.priced,
        tokens_in = s.tokens_in, tokens_out = s.tokens_out, tokens_thinking = s.tokens_thinking,
        latency_ms = s.latency_ms, error_code = s.error_code, error_message = s.error_message,
        model_version = s.model_version, response_id = s.response_id
    FROM settled s WHERE a.id = s.attempt AND a.state = 'open' AND NOT s.withdrawn
    RETURNING a.id, a.state, a.reserved, a.cost
), withdrawn AS (
    DELETE FROM attempts a USING settled s WHERE a.id = s.attempt AND a.state = 'open' AND s.withdrawn
    RETURNING a.reserved
), moved AS (
    UPDATE cells c SET
        -- What would wait for its next try has no turn any more in a run that was ended.
        status = CASE WHEN s.status = 'queued' AND run.status NOT IN ('queued', 'running') THEN 'cancelled' ELSE s.status END,
        stage = s.stage,
        lane = CASE WHEN s.status = 'running' THEN c.lane END,
        tries = s.tries, not_before = s.not_before,
        output_raw = coalesce(s.output_raw, c.output_raw),
        output_parsed = coalesce(s.output_parsed, c.output_parsed),
        grader_output = coalesce(s.grader_output, c.grader_output),
        checks = coalesce(s.checks, c.checks),
        grade = CASE WHEN c.manual_grade = 'unset' THEN coalesce(s.grade, c.grade) ELSE c.grade END,
        grade_source = CASE WHEN c.manual_grade = 'unset' THEN coalesce(s.grade_source, c.grade_source) ELSE c.grade_source END,
        tokens_in = c.tokens_in + CASE WHEN s.from_stage = 'generate' THEN s.tokens_in ELSE 0 END,
        tokens_out = c.tokens_out + CASE WHEN s.from_stage = 'generate' THEN s.tokens_out ELSE 0 END,
        tokens_thinking = c.tokens_thinking + CASE WHEN s.from_stage = 'generate' THEN s.tokens_thinking ELSE 0 END,
        cost = c.cost + CASE WHEN s.from_stage = 'generate' AND NOT s.withdrawn THEN s.cost ELSE 0 END,
        grader_cost = c.grader_cost + CASE WHEN s.from_stage = 'grade' AND NOT s.withdrawn THEN s.cost ELSE 0 END,
        latency_ms = CASE WHEN s.from_stage = 'generate' THEN coalesce(s.latency_ms, c.latency_ms) ELSE c.latency_ms END,
        latency_bucket = coalesce(s.latency_bucket, c.latency_bucket),
        cached = CASE WHEN s.from_stage = 'generate' THEN s.cached ELSE c.cached END,
        attempt_count = c.attempt_count + (s.attempt IS NOT NULL AND NOT s.withdrawn)::integer,
        error_code = s.error_code, error_message = s.error_message,
        model_version = coalesce(s.model_version, c.model_version)
    FROM settled s CROSS JOIN run
    WHERE c.id = s.cell AND c.lane = $1 AND c.claims = s.claims AND c.status = 'running' AND c.stage = s.from_stage
    RETURNING c.id, c.round, c.column_index
), parked AS (
    UPDATE run_columns c SET not_before = greatest(c.not_before, p.until)
    FROM (SELECT moved.column_index, max(s.parked_until) AS until FROM settled s JOIN moved ON moved.id = s.cell
          WHERE s.parked_until IS NOT NULL GROUP BY 1) p
    WHERE c.run_id = (SELECT id FROM run) AND c.column_index = p.column_index
), graded AS (
    INSERT INTO grades (id, cell_id, round, source, grade, detail)
    SELECT g.id, moved.id, moved.round, g.source, g.grade, g.detail
    FROM settled s
    JOIN moved ON moved.id = s.cell
    CROSS JOIN LATERAL jsonb_to_recordset(s.grades) AS g (id uuid, source text, grade integer, detail jsonb)
), noted AS (
    SELECT s.cell, s.event, s.place, row_number() OVER (ORDER BY s.place) AS turn, count(*) OVER () AS events
    FROM settled s JOIN moved ON moved.id = s.cell WHERE s.event IS NOT NULL
), sums AS (
    SELECT coalesce((SELECT sum(reserved) FROM closed), 0) + coalesce((SELECT sum(reserved) FROM withdrawn), 0) AS freed,
           coalesce((SELECT sum(cost) FROM closed), 0) AS spent,
           coalesce((SELECT sum(reserved) FROM closed WHERE state = 'lost'), 0) AS unresolved,
           coalesce((SELECT max(events) FROM noted), 0) AS events
), booked AS (
    UPDATE runs SET spent = runs.spent + sums.spent, reserved = runs.reserved - sums.freed,
        unresolved = runs.unresolved + sums.unresolved,
        last_event = runs.last_event + sums.events
    FROM sums WHERE runs.id = (SELECT id FROM run)
    RETURNING runs.id, runs.last_event - sums.events AS last_event
), told AS (
    INSERT INTO run_events (run_id, number, cell_id, kind)
    SELECT booked.id, booked.last_event + noted.turn, noted.cell, noted.event FROM booked CROSS JOIN noted
)
SELECT count(*) FROM held
