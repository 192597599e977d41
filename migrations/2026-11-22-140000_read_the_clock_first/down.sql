CREATE OR REPLACE FUNCTION changes_horizon() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(min(xact_start), clock_timestamp())
    FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND datname = current_database() AND pid <> pg_backend_pid()
$$;
COMMENT ON FUNCTION changes_horizon() IS
    'Every write stamped before this moment is visible now. A reader that polls for changes and stops here misses none that commits late.';
