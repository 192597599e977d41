ALTER TABLE job_pauses ADD COLUMN note text;
COMMENT ON TABLE job_pauses IS 'Kinds of jobs that nobody is to begin at present, in the whole installation: the operator''s.';

CREATE TABLE company_job_pauses (
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    kind text NOT NULL,
    note text,
    paused_by uuid REFERENCES users ON DELETE SET NULL,
    paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (company_id, kind)
);
COMMENT ON TABLE company_job_pauses IS 'Kinds of jobs that are not begun at present for one company: its admins''.';
COMMENT ON COLUMN company_job_pauses.paused_by IS 'Null where the operator did it on the command line, or the person is gone.';
CREATE INDEX company_job_pauses_paused_by ON company_job_pauses (paused_by);
CREATE CONSTRAINT TRIGGER company_job_pauses_audit AFTER INSERT OR UPDATE OR DELETE ON company_job_pauses
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('jobPause', '{kind}', '{}');

ALTER TABLE provider_keys
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN paused_by uuid REFERENCES users ON DELETE SET NULL,
    ADD COLUMN pause_note text;
COMMENT ON COLUMN provider_keys.paused_at IS 'Since when no call is made with it; null while calls are.';
CREATE INDEX provider_keys_paused_by ON provider_keys (paused_by);
CREATE INDEX provider_keys_paused ON provider_keys (id) WHERE paused_at IS NOT NULL;

ALTER TABLE jobs ADD COLUMN wait_key uuid;
COMMENT ON COLUMN jobs.wait_key IS 'The paused provider key at which its last attempt stopped. No foreign key: it may be gone.';

CREATE TABLE workers (
    name text PRIMARY KEY,
    host text NOT NULL,
    version text NOT NULL,
    kinds jsonb NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    draining_since timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE workers IS 'Who performs jobs: written by each worker every few seconds, removed when it ends or was silent for long.';
COMMENT ON COLUMN workers.name IS 'As in jobs.worker.';
COMMENT ON COLUMN workers.kinds IS 'Kind by kind, how many jobs it performs at once (atOnce), and how many of one owner are handed out (each, if limited).';
COMMENT ON COLUMN workers.draining_since IS 'Since when it begins no more jobs, for it is about to end.';
