-- The clock is read before the list of transactions: one that begins to write in between is then stamped
-- later than the horizon, whether it was seen or not.
CREATE OR REPLACE FUNCTION changes_horizon() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now)
    SELECT least(clock.now, (
        SELECT min(xact_start) FROM pg_stat_activity
        WHERE backend_xid IS NOT NULL AND datname = current_database() AND pid <> pg_backend_pid() AND clock.now IS NOT NULL
    )) FROM clock
$$;
COMMENT ON FUNCTION changes_horizon() IS
    'Every write stamped before this moment is visible to the next statement. A reader that polls for changes and stops here misses none that commits late.';
