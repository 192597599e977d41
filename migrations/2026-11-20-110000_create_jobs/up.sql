CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    company_id uuid REFERENCES companies ON DELETE CASCADE,
    fair_key uuid NOT NULL,
    subject_id uuid,
    args jsonb NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'dead', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL,
    snoozes integer NOT NULL DEFAULT 0,
    run_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    wait_reason text,
    dispatched_at timestamptz,
    epoch integer NOT NULL DEFAULT 0,
    lease_token uuid,
    lease_until timestamptz,
    worker text,
    error_class text,
    error_message text,
    dedupe_key text,
    request_id text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz
);
COMMENT ON TABLE jobs IS 'The truth about all background work. Redis only carries ids of rows in here.';
COMMENT ON COLUMN jobs.company_id IS 'Null for the system''s own chores.';
COMMENT ON COLUMN jobs.fair_key IS 'Dispatch takes turns between these: the owner, the run or the company the work is for.';
COMMENT ON COLUMN jobs.subject_id IS 'The row the job works on, for looking jobs up by it.';
COMMENT ON COLUMN jobs.epoch IS 'Raised at each dispatch: part of the transport''s id, so that a repeated dispatch is never swallowed as a duplicate.';
COMMENT ON COLUMN jobs.lease_token IS 'Who holds the job now; every effect and every end of an attempt names it.';
COMMENT ON COLUMN jobs.snoozes IS 'Waits for somebody else''s limit; they spend no attempt.';

CREATE INDEX jobs_waiting ON jobs (kind, fair_key, run_at, id) WHERE state = 'queued' AND dispatched_at IS NULL;
CREATE INDEX jobs_dispatched ON jobs (kind, dispatched_at) WHERE state = 'queued' AND dispatched_at IS NOT NULL;
CREATE INDEX jobs_leases ON jobs (lease_until) WHERE state = 'running';
-- Keyed so that dispatch, which knows the kind alone, is never tempted to use it.
CREATE UNIQUE INDEX jobs_dedupe ON jobs (dedupe_key, kind)
    WHERE dedupe_key IS NOT NULL AND state IN ('queued', 'running');
CREATE INDEX jobs_company ON jobs (company_id, id);
CREATE INDEX jobs_company_state ON jobs (company_id, state, id);
CREATE INDEX jobs_subject ON jobs (subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX jobs_dead ON jobs (kind, dedupe_key) WHERE state = 'dead';
CREATE INDEX jobs_settled ON jobs (finished_at) WHERE state IN ('done', 'cancelled');

CREATE TABLE job_pauses (
    kind text PRIMARY KEY,
    paused_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE job_pauses IS 'Kinds of jobs that are not dispatched at present.';
