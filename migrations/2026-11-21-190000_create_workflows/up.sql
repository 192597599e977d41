ALTER TABLE companies ADD COLUMN has_workflows boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN companies.has_workflows IS 'Whether it was given the built-in workflows: those it deletes do not come back.';

CREATE TABLE workflows (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'company')),
    name text NOT NULL,
    description text NOT NULL DEFAULT '',
    tasks jsonb NOT NULL,
    graph_data jsonb,
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE workflows IS 'Workflows as they are worked on. What was performed is in workflow_versions.';
COMMENT ON COLUMN workflows.graph_data IS 'The state of a canvas, kept as it was sent.';
COMMENT ON COLUMN workflows.is_default IS 'Whether it came with the company.';
CREATE INDEX workflows_changed ON workflows (company_id, updated_at, id);
CREATE INDEX workflows_owner ON workflows (owner_id, updated_at, id);
CREATE TRIGGER workflows_touch BEFORE INSERT OR UPDATE ON workflows FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE workflow_versions (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    workflow_id uuid REFERENCES workflows ON DELETE SET NULL,
    sha256 bytea NOT NULL,
    pinned jsonb NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE workflow_versions IS 'What was performed: tasks, and what the prompts said that they are linked to. Rows are never changed; they stay when their workflow goes.';
COMMENT ON COLUMN workflow_versions.workflow_id IS 'Null for a workflow that was performed as it was sent, or that is gone.';
COMMENT ON COLUMN workflow_versions.sha256 IS 'Of the pinned content as canonical JSON: what is performed again as it was has no second row.';
COMMENT ON COLUMN workflow_versions.created_by IS 'Who performed it first, kept as a fact, without a foreign key.';
CREATE UNIQUE INDEX workflow_versions_content ON workflow_versions (workflow_id, sha256);
CREATE INDEX workflow_versions_company ON workflow_versions (company_id, sha256);

CREATE TABLE executions (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    workflow_id uuid REFERENCES workflows ON DELETE SET NULL,
    version_id uuid NOT NULL REFERENCES workflow_versions,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    input jsonb NOT NULL,
    error_code text,
    error_message text,
    last_event bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE executions IS 'Performances of workflows. Whoever writes one or its tasks holds its job before it.';
COMMENT ON COLUMN executions.name IS 'What the workflow was called then.';
COMMENT ON COLUMN executions.input IS 'What stands as userInput.';
COMMENT ON COLUMN executions.started_at IS 'When a worker first took it up since it was started or resumed: its time limit counts from here.';
CREATE INDEX executions_owner ON executions (owner_id, created_at, id);
CREATE INDEX executions_changed ON executions (owner_id, updated_at, id);
CREATE INDEX executions_company ON executions (company_id, id);
CREATE INDEX executions_workflow ON executions (workflow_id, created_at, id);
CREATE INDEX executions_version ON executions (version_id);
CREATE TRIGGER executions_touch BEFORE INSERT OR UPDATE ON executions FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE execution_tasks (
    execution_id uuid NOT NULL REFERENCES executions ON DELETE CASCADE,
    place smallint NOT NULL,
    task_id text NOT NULL,
    status text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'SKIPPED')),
    result jsonb,
    error_code text,
    error_message text,
    notice text,
    attempts integer NOT NULL DEFAULT 0,
    tokens_in bigint NOT NULL DEFAULT 0,
    tokens_out bigint NOT NULL DEFAULT 0,
    tokens_thinking bigint NOT NULL DEFAULT 0,
    cost numeric NOT NULL DEFAULT 0,
    priced boolean NOT NULL DEFAULT true,
    model_version text,
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (execution_id, place)
) WITH (fillfactor = 80);
COMMENT ON TABLE execution_tasks IS 'Where each task of an execution stands, by its place in the workflow.';
COMMENT ON COLUMN execution_tasks.result IS 'Null also where the result is null: the status says which.';
COMMENT ON COLUMN execution_tasks.notice IS 'What whoever reads the result should know, such as that it was cut.';
COMMENT ON COLUMN execution_tasks.attempts IS 'How often it was begun, tries within one beginning included. Tokens and cost are of all of them.';
COMMENT ON COLUMN execution_tasks.priced IS 'False where a model without a price was asked: its part of the cost is unknown, and counted as nothing.';

CREATE TABLE execution_events (
    execution_id uuid NOT NULL REFERENCES executions ON DELETE CASCADE,
    number bigint NOT NULL,
    kind text NOT NULL,
    task_id text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (execution_id, number)
);
COMMENT ON TABLE execution_events IS 'What happened in an execution, numbered from 1 without gaps in the order of commits.';

ALTER TABLE runs ADD COLUMN workflow_id uuid REFERENCES workflows ON DELETE SET NULL,
    ADD COLUMN workflow_version_id uuid REFERENCES workflow_versions;
COMMENT ON COLUMN runs.workflow_id IS 'Of a run that tries a workflow instead of a prompt.';
CREATE INDEX runs_workflow ON runs (workflow_id) WHERE workflow_id IS NOT NULL;
CREATE INDEX runs_workflow_version ON runs (workflow_version_id) WHERE workflow_version_id IS NOT NULL;

-- An execution whose job is over before its work: called off by a person, or given up after too many
-- attempts. What was under way failed, and what waited is skipped.
CREATE FUNCTION bury_execution() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_stopped boolean := NEW.state = 'cancelled';
    said text := CASE WHEN NEW.state = 'cancelled' THEN 'Stopped.' ELSE NEW.error_message END;
BEGIN
    PERFORM FROM executions WHERE id = NEW.subject_id AND status IN ('pending', 'running') FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    WITH ended AS (
        UPDATE execution_tasks SET
            status = CASE status WHEN 'RUNNING' THEN 'FAILED' ELSE 'SKIPPED' END,
            error_code = CASE WHEN is_stopped THEN 'stopped' ELSE NEW.error_class END,
            error_message = said, finished_at = clock_timestamp()
        WHERE execution_id = NEW.subject_id AND status IN ('PENDING', 'RUNNING')
        RETURNING place, task_id, status
    ), told AS (
        SELECT row_number() OVER (ORDER BY place) AS turn, 'task_' || lower(status) AS kind, task_id FROM ended
        UNION ALL
        SELECT (SELECT count(*) FROM ended) + 1,
            CASE WHEN is_stopped THEN 'execution_cancelled' ELSE 'execution_failed' END, NULL
    ), over AS (
        UPDATE executions SET
            status = CASE WHEN is_stopped THEN 'cancelled' ELSE 'failed' END,
            error_code = CASE WHEN is_stopped THEN 'stopped' ELSE NEW.error_class END,
            error_message = said, finished_at = clock_timestamp(),
            last_event = last_event + (SELECT count(*) FROM told)
        WHERE id = NEW.subject_id
        RETURNING last_event - (SELECT count(*) FROM told) AS before
    )
    INSERT INTO execution_events (execution_id, number, kind, task_id)
    SELECT NEW.subject_id, over.before + told.turn, told.kind, told.task_id FROM told, over;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_bury_execution AFTER UPDATE OF state ON jobs FOR EACH ROW
    WHEN (NEW.state IN ('dead', 'cancelled') AND OLD.state IN ('queued', 'running') AND NEW.kind = 'workflows.execute')
    EXECUTE FUNCTION bury_execution();

-- Has the tasks at these places performed anew, and tells it as this event. The caller holds the execution.
CREATE FUNCTION renew_execution(of_execution uuid, anew smallint[]) RETURNS void LANGUAGE sql AS $$
    WITH renewed AS (
        UPDATE execution_tasks SET status = 'PENDING', result = NULL, error_code = NULL, error_message = NULL,
            notice = NULL, model_version = NULL, started_at = NULL, finished_at = NULL
        WHERE execution_id = of_execution AND place = ANY (anew)
    ), taken_up AS (
        UPDATE executions SET status = 'pending', error_code = NULL, error_message = NULL, started_at = NULL,
            finished_at = NULL, last_event = last_event + 1
        WHERE id = of_execution
        RETURNING last_event
    )
    INSERT INTO execution_events (execution_id, number, kind) SELECT of_execution, last_event, 'resumed' FROM taken_up
$$;

-- Takes up an execution whose job was given another round of attempts.
CREATE FUNCTION revive_execution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM executions WHERE id = NEW.subject_id AND status = 'failed' FOR UPDATE;
    IF FOUND THEN
        PERFORM renew_execution(NEW.subject_id, ARRAY(
            SELECT place FROM execution_tasks WHERE execution_id = NEW.subject_id AND status <> 'COMPLETED'));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_revive_execution AFTER UPDATE OF state ON jobs FOR EACH ROW
    WHEN (NEW.state = 'queued' AND OLD.state = 'dead' AND NEW.kind = 'workflows.execute')
    EXECUTE FUNCTION revive_execution();
