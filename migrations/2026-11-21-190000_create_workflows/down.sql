DROP TRIGGER jobs_revive_execution ON jobs;
DROP TRIGGER jobs_bury_execution ON jobs;
DROP FUNCTION revive_execution();
DROP FUNCTION renew_execution(uuid, smallint[]);
DROP FUNCTION bury_execution();
-- Jobs that only the newer programs know go with what they work on.
DELETE FROM jobs WHERE kind = 'workflows.execute';
ALTER TABLE runs DROP COLUMN workflow_id, DROP COLUMN workflow_version_id;
DROP TABLE execution_events, execution_tasks, executions, workflow_versions, workflows;
ALTER TABLE companies DROP COLUMN has_workflows;
