CREATE TABLE trackers (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    created_by uuid REFERENCES users ON DELETE SET NULL,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('jira', 'jira-dc', 'teamwork')),
    base_url text NOT NULL,
    auth_kind text NOT NULL CHECK (auth_kind IN ('grant', 'basic', 'token')),
    projects text[] NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'reconnect_needed')),
    version integer NOT NULL DEFAULT 1,
    account_name text,
    account_email text,
    product text,
    time_zone text,
    criteria_field text,
    checked_at timestamptz,
    cursor jsonb NOT NULL DEFAULT '{}',
    next_sync_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_sweep_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '1 day',
    failures integer NOT NULL DEFAULT 0,
    last_sync_at timestamptz,
    last_success_at timestamptz,
    error_code text,
    error_message text,
    renewing_by uuid,
    renewing_until timestamptz,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE trackers IS 'Where issues come from. Every transaction that stores issues of one locks its row first.';
COMMENT ON COLUMN trackers.base_url IS 'Where people find it. Also where it is called, except under a grant.';
COMMENT ON COLUMN trackers.auth_kind IS 'How it is signed in to; with what, tracker_secrets keeps.';
COMMENT ON COLUMN trackers.projects IS 'Keys or numbers of the projects that are read; none are all.';
COMMENT ON COLUMN trackers.version IS 'Raised with everything that changes what is read or as whom: what was fetched under an earlier one is not stored.';
COMMENT ON COLUMN trackers.criteria_field IS 'The field of acceptance criteria, as the check of the connection found it.';
COMMENT ON COLUMN trackers.checked_at IS 'When the connection was last found to work; what stands before it was found out then.';
COMMENT ON COLUMN trackers.cursor IS 'How far it was read. Moves in the transaction that stores what was passed over.';
COMMENT ON COLUMN trackers.failures IS 'Syncs in a row that failed; each puts off the next.';
COMMENT ON COLUMN trackers.renewing_by IS 'Who renews the pair of tokens, until renewing_until at most; nobody else does meanwhile.';
COMMENT ON COLUMN trackers.deleted_at IS 'When it was deleted, and its secrets with it. Its issues stay for what was made of them; nobody is shown them.';
CREATE UNIQUE INDEX trackers_name ON trackers (company_id, name) WHERE deleted_at IS NULL;
CREATE INDEX trackers_company ON trackers (company_id, id);
CREATE INDEX trackers_created_by ON trackers (created_by);
CREATE INDEX trackers_next_sync ON trackers (next_sync_at) WHERE state = 'active' AND deleted_at IS NULL;
CREATE INDEX trackers_next_sweep ON trackers (next_sweep_at) WHERE state = 'active' AND deleted_at IS NULL;
-- Only what people are shown of it makes another revision.
CREATE TRIGGER trackers_touch BEFORE INSERT OR UPDATE OF name, base_url, auth_kind, projects, state, version, account_name, account_email, product, time_zone, criteria_field, checked_at, next_sync_at, last_sync_at, last_success_at, error_code, error_message
    ON trackers FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE tracker_secrets (
    tracker_id uuid NOT NULL REFERENCES trackers ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('auth', 'hooks')),
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    sealed bytea NOT NULL,
    sealing_key_id text NOT NULL,
    PRIMARY KEY (tracker_id, purpose)
);
COMMENT ON TABLE tracker_secrets IS 'What trackers are signed in to with, and what proves their webhooks. Opened where a call is made or a hook is checked, and nowhere else.';
COMMENT ON COLUMN tracker_secrets.sealed IS 'XChaCha20-Poly1305: a nonce of 24 bytes, then the ciphertext, bound to purpose, company and tracker.';
CREATE INDEX tracker_secrets_company ON tracker_secrets (company_id);
CREATE INDEX tracker_secrets_sealing_key ON tracker_secrets (sealing_key_id, tracker_id, purpose);

CREATE TABLE tracker_grants (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    state_hash bytea UNIQUE,
    browser_hash bytea NOT NULL,
    sealed bytea NOT NULL,
    sealing_key_id text NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tracker_grants IS 'Sign-ins to Jira Cloud that were begun, until a site is chosen. They end soon.';
COMMENT ON COLUMN tracker_grants.state_hash IS 'Of the text that names the sign-in when its person comes back; null once somebody has.';
COMMENT ON COLUMN tracker_grants.browser_hash IS 'Of the text in the cookie of the browser that left.';
COMMENT ON COLUMN tracker_grants.sealed IS 'Before the return: what proves who left. After it: the tokens and the sites.';
CREATE INDEX tracker_grants_company ON tracker_grants (company_id);
CREATE INDEX tracker_grants_user ON tracker_grants (user_id);
CREATE INDEX tracker_grants_ends ON tracker_grants (expires_at);

CREATE TABLE tracker_syncs (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    tracker_id uuid NOT NULL REFERENCES trackers ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('delta', 'manual', 'webhook', 'sweep')),
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    fetched integer NOT NULL DEFAULT 0,
    stored integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    unreadable integer NOT NULL DEFAULT 0,
    gone integer NOT NULL DEFAULT 0,
    requests integer NOT NULL DEFAULT 0,
    broken jsonb NOT NULL DEFAULT '[]',
    wait_reason text,
    run_at timestamptz,
    error_code text,
    error_message text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz
);
COMMENT ON TABLE tracker_syncs IS 'What was read when. Each goes by the id of its job, whose state it follows by a trigger, and outlives it.';
COMMENT ON COLUMN tracker_syncs.fetched IS 'Issues that came; a sweep counts keys.';
COMMENT ON COLUMN tracker_syncs.broken IS 'The first issues that could not be read, each with the reason.';
CREATE INDEX tracker_syncs_company ON tracker_syncs (company_id);
CREATE INDEX tracker_syncs_tracker ON tracker_syncs (tracker_id, id);

CREATE TABLE issues (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    tracker_id uuid NOT NULL REFERENCES trackers ON DELETE CASCADE,
    external_id text NOT NULL,
    ext_key text NOT NULL,
    key_lost boolean NOT NULL DEFAULT false,
    url text NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'in_progress', 'done', 'closed', 'cancelled')),
    status_name text NOT NULL,
    priority text CHECK (priority IN ('lowest', 'low', 'medium', 'high', 'highest')),
    priority_name text,
    labels text[] NOT NULL,
    acceptance_criteria text,
    assignee_id text,
    assignee_name text,
    assignee_email text,
    reporter_id text,
    reporter_name text,
    reporter_email text,
    tracker_created_at timestamptz,
    tracker_updated_at timestamptz NOT NULL,
    payload jsonb NOT NULL,
    gone_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT issues_external UNIQUE (tracker_id, external_id)
);
COMMENT ON TABLE issues IS 'Issues as their trackers last had them. Who works on one here follows from the address, when it is read.';
COMMENT ON COLUMN issues.external_id IS 'Its id in the tracker, which outlives moves; its key does not.';
COMMENT ON COLUMN issues.key_lost IS 'Another issue goes by ext_key now; how this one is called shows when it is read again.';
COMMENT ON COLUMN issues.assignee_email IS 'In lower case, as addresses of users are.';
COMMENT ON COLUMN issues.tracker_updated_at IS 'When it last changed in the tracker, by whose clock an older state never replaces a newer one.';
COMMENT ON COLUMN issues.gone_at IS 'When its tracker said that it is gone, or no longer shown to the account.';
CREATE UNIQUE INDEX issues_key ON issues (tracker_id, ext_key) WHERE NOT key_lost;
CREATE INDEX issues_changed ON issues (company_id, updated_at, id);
CREATE INDEX issues_of_tracker ON issues (tracker_id, updated_at, id);
CREATE INDEX issues_status ON issues (company_id, status, updated_at, id);
CREATE INDEX issues_assignee ON issues (company_id, assignee_email, updated_at, id) WHERE assignee_email IS NOT NULL;
CREATE TRIGGER issues_touch BEFORE INSERT OR UPDATE ON issues FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE tracker_deliveries (
    tracker_id uuid NOT NULL REFERENCES trackers ON DELETE CASCADE,
    delivery text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tracker_id, delivery)
);
COMMENT ON TABLE tracker_deliveries IS 'Webhooks that came, so that the same one is not taken twice.';
CREATE INDEX tracker_deliveries_ends ON tracker_deliveries (expires_at);

CREATE FUNCTION follow_tracker_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tracker_syncs SET
        -- Giving up a dead job does not undo that its round failed.
        state = CASE WHEN NEW.state = 'dead' OR (NEW.state = 'cancelled' AND OLD.state = 'dead') THEN 'failed' ELSE NEW.state END,
        started_at = coalesce(started_at, NEW.started_at),
        finished_at = NEW.finished_at,
        wait_reason = CASE WHEN NEW.state = 'queued' THEN NEW.wait_reason END,
        run_at = CASE WHEN NEW.state = 'queued' THEN NEW.run_at END,
        error_code = NEW.error_class,
        error_message = NEW.error_message
    WHERE id = NEW.id;
    -- Each failure in a row puts off the next try of the clock: 10, 20, 40 minutes, six hours at most.
    IF NEW.state = 'dead' AND NEW.kind = 'trackers.sync' THEN
        UPDATE trackers SET
            failures = failures + 1,
            last_sync_at = clock_timestamp(),
            error_code = NEW.error_class,
            error_message = NEW.error_message,
            next_sync_at = clock_timestamp() + least(interval '6 hours', interval '10 minutes' * power(2, least(failures, 10)))
        WHERE id = NEW.subject_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_of_trackers AFTER UPDATE OF state ON jobs FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.kind IN ('trackers.sync', 'trackers.sweep'))
    EXECUTE FUNCTION follow_tracker_jobs();
