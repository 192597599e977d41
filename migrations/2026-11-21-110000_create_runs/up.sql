CREATE TABLE runs (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'company')),
    status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'completed', 'cancelled', 'budget_exceeded', 'failed')),
    prompt_id uuid REFERENCES prompts ON DELETE SET NULL,
    prompt_version_id uuid REFERENCES prompt_versions ON DELETE SET NULL,
    prompt_title text NOT NULL,
    version_label text NOT NULL,
    grader_prompt_id uuid REFERENCES prompts ON DELETE SET NULL,
    grader_version_id uuid REFERENCES prompt_versions ON DELETE SET NULL,
    grader_model_id uuid REFERENCES models ON DELETE SET NULL,
    dataset_id uuid REFERENCES datasets,
    dataset_version integer,
    plan jsonb NOT NULL,
    row_count integer NOT NULL,
    repeats smallint NOT NULL,
    concurrency smallint NOT NULL,
    budget numeric CHECK (budget > 0),
    spent numeric NOT NULL DEFAULT 0,
    reserved numeric NOT NULL DEFAULT 0,
    unresolved numeric NOT NULL DEFAULT 0,
    cell_count integer NOT NULL,
    open_cells integer NOT NULL,
    last_event bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
COMMENT ON TABLE runs IS 'A version of a prompt tried on the rows of a dataset with up to four models. Whoever writes cells locks this row first: so events are numbered without gaps, and money is never promised twice.';
COMMENT ON COLUMN runs.prompt_title IS 'The prompt''s title at the start: the run stays readable without its prompt.';
COMMENT ON COLUMN runs.plan IS 'What was decided at the start and is only read whole: parameters, checks, the column that is expected, use of kept responses.';
COMMENT ON COLUMN runs.spent IS 'The cost of every call that was settled, failed and repeated ones included.';
COMMENT ON COLUMN runs.reserved IS 'What the calls under way may cost at most.';
COMMENT ON COLUMN runs.unresolved IS 'What calls may have cost whose worker was killed before it could say: they stay promised to the budget.';
COMMENT ON COLUMN runs.open_cells IS 'Cells that are queued or running; the run is over when there are none.';
COMMENT ON COLUMN runs.last_event IS 'The number of the newest event.';
CREATE INDEX runs_changed ON runs (company_id, updated_at, id);
CREATE INDEX runs_owner ON runs (owner_id, updated_at, id);
CREATE INDEX runs_prompt ON runs (prompt_id, id);
CREATE INDEX runs_prompt_version ON runs (prompt_version_id);
CREATE INDEX runs_grader ON runs (grader_prompt_id);
CREATE INDEX runs_grader_version ON runs (grader_version_id);
CREATE INDEX runs_grader_model ON runs (grader_model_id);
CREATE INDEX runs_dataset ON runs (dataset_id, status);
CREATE TRIGGER runs_touch BEFORE INSERT OR UPDATE ON runs FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE run_columns (
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    column_index smallint NOT NULL,
    model_id uuid REFERENCES models ON DELETE SET NULL,
    model_name text NOT NULL,
    queued integer NOT NULL DEFAULT 0,
    running integer NOT NULL DEFAULT 0,
    completed integer NOT NULL DEFAULT 0,
    malformed integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    cached integer NOT NULL DEFAULT 0,
    graded integer NOT NULL DEFAULT 0,
    grade_sum bigint NOT NULL DEFAULT 0,
    passed integer NOT NULL DEFAULT 0,
    malformed_ungraded integer NOT NULL DEFAULT 0,
    tokens_in bigint NOT NULL DEFAULT 0,
    tokens_out bigint NOT NULL DEFAULT 0,
    tokens_thinking bigint NOT NULL DEFAULT 0,
    cost numeric NOT NULL DEFAULT 0,
    grader_cost numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, column_index)
) WITH (fillfactor = 50);
COMMENT ON TABLE run_columns IS 'The models of a run, and what their cells come to; kept by a trigger on cells, so that no reader adds cells up.';
COMMENT ON COLUMN run_columns.model_name IS 'provider/name, as it was called at the start.';
COMMENT ON COLUMN run_columns.grade_sum IS 'Of the effective grades, in millionths: whole numbers add up exactly.';
COMMENT ON COLUMN run_columns.passed IS 'Cells whose effective grade is a half or more.';
COMMENT ON COLUMN run_columns.malformed_ungraded IS 'Malformed cells that nobody graded: they count as a grade of nothing.';
CREATE INDEX run_columns_model ON run_columns (model_id);

CREATE TABLE run_latencies (
    run_id uuid NOT NULL,
    column_index smallint NOT NULL,
    bucket smallint NOT NULL,
    cell_count integer NOT NULL,
    PRIMARY KEY (run_id, column_index, bucket),
    FOREIGN KEY (run_id, column_index) REFERENCES run_columns ON DELETE CASCADE
) WITH (fillfactor = 50);
COMMENT ON TABLE run_latencies IS 'How many cells of a column took how long: a histogram of logarithmic buckets, kept by a trigger on cells.';

CREATE TABLE cells (
    id uuid PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    column_index smallint NOT NULL,
    row_index integer NOT NULL,
    repeat smallint NOT NULL,
    status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'completed', 'malformed', 'failed', 'cancelled')),
    stage text NOT NULL DEFAULT 'generate' CHECK (stage IN ('generate', 'grade')),
    round smallint NOT NULL DEFAULT 1,
    tries smallint NOT NULL DEFAULT 0,
    not_before timestamptz,
    lane uuid,
    claims integer NOT NULL DEFAULT 0,
    output_raw text,
    output_parsed text,
    grader_output text,
    grade integer CHECK (grade BETWEEN 0 AND 1000000),
    grade_source text CHECK (grade_source IN ('manual', 'grader', 'checks')),
    manual_grade text NOT NULL DEFAULT 'unset' CHECK (manual_grade IN ('pass', 'fail', 'unset')),
    checks jsonb,
    tokens_in bigint NOT NULL DEFAULT 0,
    tokens_out bigint NOT NULL DEFAULT 0,
    tokens_thinking bigint NOT NULL DEFAULT 0,
    cost numeric NOT NULL DEFAULT 0,
    grader_cost numeric NOT NULL DEFAULT 0,
    latency_ms integer,
    latency_bucket smallint,
    cached boolean NOT NULL DEFAULT false,
    attempt_count integer NOT NULL DEFAULT 0,
    error_code text,
    error_message text,
    model_version text,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (run_id, column_index) REFERENCES run_columns ON DELETE CASCADE
);
COMMENT ON TABLE cells IS 'One answer of a run: a row of its dataset, a model, a repetition.';
COMMENT ON COLUMN cells.stage IS 'What is done next or was done last: with stage grade the output stands already.';
COMMENT ON COLUMN cells.round IS 'Raised by each rerun, which wants a new answer and so passes kept responses by; grades belong to a round.';
COMMENT ON COLUMN cells.tries IS 'Calls of this stage and round that failed in a way that may pass.';
COMMENT ON COLUMN cells.lane IS 'The job that works on it while it is running.';
COMMENT ON COLUMN cells.claims IS 'How often it was taken: what is booked names the taking it belongs to, so that it counts once.';
COMMENT ON COLUMN cells.grade IS 'The effective grade in millionths: a person''s, else the grader''s, else that of the checks.';
COMMENT ON COLUMN cells.error_code IS 'Why it failed or is malformed; on a completed cell, why its grader gave no grade.';
COMMENT ON COLUMN cells.cost IS 'Of all calls for an output, over all rounds; with grader_cost over all cells it adds up to runs.spent.';
CREATE UNIQUE INDEX cells_identity ON cells (run_id, row_index, repeat, column_index);
CREATE INDEX cells_queued ON cells (run_id, row_index, repeat, column_index) WHERE status = 'queued';
CREATE INDEX cells_lane ON cells (lane) WHERE status = 'running';
CREATE INDEX cells_changed ON cells (run_id, updated_at, id);
CREATE INDEX cells_column ON cells (run_id, column_index, status, row_index, repeat);
CREATE TRIGGER cells_touch BEFORE INSERT OR UPDATE ON cells FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE attempts (
    id uuid PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    cell_id uuid NOT NULL REFERENCES cells ON DELETE CASCADE,
    round smallint NOT NULL,
    stage text NOT NULL CHECK (stage IN ('generate', 'grade')),
    lane uuid NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'settled', 'lost')),
    reserved numeric NOT NULL,
    cost numeric,
    priced boolean,
    tokens_in integer,
    tokens_out integer,
    tokens_thinking integer,
    latency_ms integer,
    error_code text,
    error_message text,
    model_version text,
    response_id text,
    output text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);
COMMENT ON TABLE attempts IS 'Every call for a cell, written before it is made: what a killed worker may have spent stays known.';
COMMENT ON COLUMN attempts.state IS 'open while the call is made; lost when its worker was killed and nobody knows how it ended.';
COMMENT ON COLUMN attempts.reserved IS 'The most the call may cost; counted against the budget while it is open or lost.';
COMMENT ON COLUMN attempts.priced IS 'False where the model has no price: the cost is then unknown, and counted as nothing.';
COMMENT ON COLUMN attempts.output IS 'What it brought, once a rerun has taken its place in the cell.';
CREATE INDEX attempts_cell ON attempts (cell_id, id);
CREATE INDEX attempts_run ON attempts (run_id);
CREATE INDEX attempts_open ON attempts (lane) WHERE state = 'open';

CREATE TABLE grades (
    id uuid PRIMARY KEY,
    cell_id uuid NOT NULL REFERENCES cells ON DELETE CASCADE,
    round smallint NOT NULL,
    source text NOT NULL CHECK (source IN ('manual', 'grader', 'checks')),
    grade integer CHECK (grade BETWEEN 0 AND 1000000),
    detail jsonb,
    author_id uuid,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE grades IS 'Every judgement on a cell: a row each, never changed. The newest of a source and round counts.';
COMMENT ON COLUMN grades.grade IS 'In millionths; null when a person took theirs back.';
COMMENT ON COLUMN grades.author_id IS 'The person, kept as a fact, without a foreign key.';
CREATE INDEX grades_cell ON grades (cell_id, id);

CREATE TABLE run_events (
    run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    number bigint NOT NULL,
    cell_id uuid,
    kind text NOT NULL,
    data jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, number)
);
COMMENT ON TABLE run_events IS 'What happened in a run, numbered from 1 without gaps in the order of commits.';
CREATE INDEX run_events_cell ON run_events (cell_id, number);

CREATE TABLE responses (
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    key bytea NOT NULL,
    lane uuid,
    token uuid,
    reply jsonb,
    latency_ms integer,
    cost numeric,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (company_id, key)
);
COMMENT ON TABLE responses IS 'Answers of models by the hash of everything they depend on. Errors are never kept.';
COMMENT ON COLUMN responses.lane IS 'While there is no reply: the job that is asking, with its lease in token; others wait for it as long as that lease lives.';
COMMENT ON COLUMN responses.cost IS 'What the first answer cost.';
CREATE INDEX responses_age ON responses (created_at);

-- Keeps the sums of run_columns, run_latencies and runs.open_cells in step with cells, whoever
-- changes them, and ends a run with its last open cell.
CREATE FUNCTION sum_up_cells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH changed AS (
        SELECT -1 AS sign, run_id, column_index, status, cached, grade, tokens_in, tokens_out,
               tokens_thinking, cost, grader_cost FROM before
        UNION ALL
        SELECT 1, run_id, column_index, status, cached, grade, tokens_in, tokens_out,
               tokens_thinking, cost, grader_cost FROM after
    ), delta AS (
        SELECT run_id, column_index,
               coalesce(sum(sign) FILTER (WHERE status = 'queued'), 0) AS queued,
               coalesce(sum(sign) FILTER (WHERE status = 'running'), 0) AS running,
               coalesce(sum(sign) FILTER (WHERE status = 'completed'), 0) AS completed,
               coalesce(sum(sign) FILTER (WHERE status = 'malformed'), 0) AS malformed,
               coalesce(sum(sign) FILTER (WHERE status = 'failed'), 0) AS failed,
               coalesce(sum(sign) FILTER (WHERE status = 'cancelled'), 0) AS cancelled,
               coalesce(sum(sign) FILTER (WHERE cached), 0) AS cached,
               coalesce(sum(sign) FILTER (WHERE grade IS NOT NULL), 0) AS graded,
               coalesce(sum(sign * grade::bigint), 0) AS grade_sum,
               coalesce(sum(sign) FILTER (WHERE grade >= 500000), 0) AS passed,
               coalesce(sum(sign) FILTER (WHERE status = 'malformed' AND grade IS NULL), 0) AS malformed_ungraded,
               sum(sign * tokens_in::bigint) AS tokens_in,
               sum(sign * tokens_out::bigint) AS tokens_out,
               sum(sign * tokens_thinking::bigint) AS tokens_thinking,
               sum(sign * cost) AS cost,
               sum(sign * grader_cost) AS grader_cost
        FROM changed GROUP BY run_id, column_index
    ), columns AS (
        UPDATE run_columns c SET
            queued = c.queued + d.queued, running = c.running + d.running,
            completed = c.completed + d.completed, malformed = c.malformed + d.malformed,
            failed = c.failed + d.failed, cancelled = c.cancelled + d.cancelled,
            cached = c.cached + d.cached, graded = c.graded + d.graded,
            grade_sum = c.grade_sum + d.grade_sum, passed = c.passed + d.passed,
            malformed_ungraded = c.malformed_ungraded + d.malformed_ungraded,
            tokens_in = c.tokens_in + d.tokens_in, tokens_out = c.tokens_out + d.tokens_out,
            tokens_thinking = c.tokens_thinking + d.tokens_thinking,
            cost = c.cost + d.cost, grader_cost = c.grader_cost + d.grader_cost
        FROM delta d WHERE c.run_id = d.run_id AND c.column_index = d.column_index
    ), open AS (
        SELECT run_id, sum(queued + running)::integer AS change FROM delta GROUP BY run_id
    ), ended AS (
        UPDATE runs r SET
            open_cells = r.open_cells + o.change,
            status = CASE
                WHEN r.open_cells + o.change = 0 AND r.status IN ('queued', 'running') THEN 'completed'
                WHEN o.change > 0 AND r.open_cells = 0 THEN 'running'
                ELSE r.status END,
            finished_at = CASE WHEN r.open_cells + o.change = 0 THEN clock_timestamp() END,
            last_event = r.last_event + (r.open_cells + o.change = 0)::integer
        FROM open o WHERE r.id = o.run_id AND o.change <> 0
        RETURNING r.id, r.open_cells, r.status, r.last_event
    )
    INSERT INTO run_events (run_id, number, kind)
    SELECT id, last_event, 'run_' || status FROM ended WHERE open_cells = 0;

    INSERT INTO run_latencies AS l (run_id, column_index, bucket, cell_count)
    SELECT run_id, column_index, latency_bucket, sum(sign)
    FROM (
        SELECT -1 AS sign, run_id, column_index, latency_bucket FROM before WHERE latency_bucket IS NOT NULL
        UNION ALL
        SELECT 1, run_id, column_index, latency_bucket FROM after WHERE latency_bucket IS NOT NULL) moved
    GROUP BY run_id, column_index, latency_bucket HAVING sum(sign) <> 0
    ORDER BY run_id, column_index, latency_bucket
    ON CONFLICT (run_id, column_index, bucket) DO UPDATE SET cell_count = l.cell_count + excluded.cell_count;
    RETURN NULL;
END $$;
CREATE TRIGGER cells_sum_up AFTER UPDATE ON cells
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION sum_up_cells();
