-- Pauses of companies and of keys are forgotten.
DROP TABLE workers;
ALTER TABLE jobs DROP COLUMN wait_key;
DROP INDEX provider_keys_paused;
ALTER TABLE provider_keys DROP COLUMN paused_at, DROP COLUMN paused_by, DROP COLUMN pause_note;
DROP TABLE company_job_pauses;
ALTER TABLE job_pauses DROP COLUMN note;
COMMENT ON TABLE job_pauses IS 'Kinds of jobs that are not dispatched at present.';
