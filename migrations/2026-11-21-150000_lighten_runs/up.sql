-- The state of a cell changes twice in its ordinary life, that of an attempt once, and each change made an
-- entry in every index: now the ordinary life pays for none that only the rest of life needs.
DROP INDEX cells_column;
CREATE INDEX cells_faulty ON cells (run_id, status, row_index, repeat, column_index)
    WHERE status IN ('malformed', 'failed', 'cancelled');
-- The open attempts of a lane are found by its cells.
DROP INDEX attempts_open;
ALTER TABLE attempts SET (fillfactor = 70);

CREATE INDEX runs_created ON runs (company_id, created_at, id);

ALTER TABLE run_columns ADD COLUMN not_before timestamptz;
COMMENT ON COLUMN run_columns.not_before IS 'Until then its provider is not to be asked: no lane takes cells of it.';

CREATE FUNCTION free_cells(of_run uuid, own_lane uuid) RETURNS void LANGUAGE sql AS $$
    WITH gone AS MATERIALIZED (
        SELECT cells.id FROM cells
        WHERE cells.run_id = of_run AND cells.status = 'running' AND (
            cells.lane = own_lane OR NOT EXISTS (
                SELECT FROM jobs WHERE jobs.id = cells.lane AND jobs.state IN ('queued', 'running')))
    ), lost AS (
        UPDATE attempts SET state = 'lost', finished_at = clock_timestamp(), error_code = 'worker_lost',
            error_message = 'The worker was stopped during this call; how it ended is not known.'
        WHERE cell_id = ANY (ARRAY(SELECT id FROM gone)) AND state = 'open'
        RETURNING cell_id, reserved
    ), freed AS (
        UPDATE cells SET lane = NULL,
            status = CASE WHEN (SELECT status FROM runs WHERE id = of_run) IN ('queued', 'running', 'failed')
                     THEN 'queued' ELSE 'cancelled' END,
            attempt_count = attempt_count + (SELECT count(*) FROM lost WHERE lost.cell_id = cells.id)
        WHERE id = ANY (ARRAY(SELECT id FROM gone))
    )
    UPDATE runs SET reserved = reserved - moved.amount, unresolved = unresolved + moved.amount
    FROM (SELECT sum(reserved) AS amount FROM lost) moved
    WHERE runs.id = of_run AND moved.amount > 0
$$;
COMMENT ON FUNCTION free_cells IS 'Has the cells of a run wait again that are taken and that nobody works on: those of this lane, which has none in hand now, and of lanes that are over. How their open calls ended nobody knows: what they may have cost stays promised. The caller holds the run.';

-- What a lane leaves behind that ended before its work: its cells wait again, the lanes that are left look
-- for them at once, and a run without any has failed: somebody has to be told. The run is locked first, so
-- that of lanes that die together the last one sees the others dead.
CREATE FUNCTION bury_lane() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    event bigint;
BEGIN
    PERFORM FROM runs WHERE id = NEW.subject_id FOR UPDATE;
    PERFORM free_cells(NEW.subject_id, NULL);
    UPDATE jobs SET run_at = clock_timestamp() WHERE id IN (
        SELECT id FROM jobs WHERE subject_id = NEW.subject_id AND kind = 'runs.lane' AND state = 'queued'
        FOR UPDATE SKIP LOCKED);
    UPDATE runs SET status = 'failed', last_event = last_event + 1
    WHERE id = NEW.subject_id AND status IN ('queued', 'running') AND open_cells > 0 AND NOT EXISTS (
        SELECT FROM jobs WHERE subject_id = NEW.subject_id AND kind = 'runs.lane' AND state IN ('queued', 'running'))
    RETURNING last_event INTO event;
    IF FOUND THEN
        INSERT INTO run_events (run_id, number, kind) VALUES (NEW.subject_id, event, 'run_failed');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_bury_lane AFTER UPDATE OF state ON jobs FOR EACH ROW
    WHEN (NEW.state IN ('dead', 'cancelled') AND OLD.state IN ('queued', 'running') AND NEW.kind = 'runs.lane')
    EXECUTE FUNCTION bury_lane();

-- Takes up a failed run one of whose lanes was given another round. It too waits for the run, so that a lane
-- that dies at this moment comes before it or sees it.
CREATE FUNCTION revive_lane() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM runs WHERE id = NEW.subject_id FOR UPDATE;
    UPDATE runs SET status = 'running' WHERE id = NEW.subject_id AND status = 'failed';
    RETURN NULL;
END $$;
CREATE TRIGGER jobs_revive_lane AFTER UPDATE OF state ON jobs FOR EACH ROW
    WHEN (NEW.state = 'queued' AND OLD.state = 'dead' AND NEW.kind = 'runs.lane')
    EXECUTE FUNCTION revive_lane();
