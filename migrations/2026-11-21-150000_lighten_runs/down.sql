DROP TRIGGER jobs_bury_lane ON jobs;
DROP FUNCTION bury_lane();
DROP FUNCTION free_cells(uuid, uuid);
ALTER TABLE run_columns DROP COLUMN not_before;
DROP INDEX runs_created;
ALTER TABLE attempts RESET (fillfactor);
CREATE INDEX attempts_open ON attempts (lane) WHERE state = 'open';
DROP INDEX cells_faulty;
CREATE INDEX cells_column ON cells (run_id, column_index, status, row_index, repeat);
