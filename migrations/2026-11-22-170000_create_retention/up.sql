CREATE TABLE retention_rules (
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    kept text NOT NULL CHECK (kept IN ('events', 'attempts', 'responses', 'audit', 'jobs')),
    days integer NOT NULL CHECK (days BETWEEN 1 AND 36525),
    PRIMARY KEY (company_id, kept)
);
COMMENT ON TABLE retention_rules IS 'How many days a company keeps what only grows. What it says nothing of is kept as the installation is set.';
CREATE CONSTRAINT TRIGGER retention_rules_audit AFTER INSERT OR UPDATE OR DELETE ON retention_rules
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('retention', '{kept}', '{}');

CREATE TABLE retention_state (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    applied_on date NOT NULL
);
COMMENT ON TABLE retention_state IS 'One row: the day of UTC on which retention was last applied to the end.';
INSERT INTO retention_state (applied_on) VALUES ((now() AT TIME ZONE 'UTC')::date);
