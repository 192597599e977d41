ALTER TABLE issues ADD COLUMN asked_at timestamptz;
COMMENT ON COLUMN issues.asked_at IS 'When its tracker was last asked for it because no page showed it. Whoever waits longest comes first.';
-- To be asked for is no change that people are shown.
DROP TRIGGER issues_touch ON issues;
CREATE TRIGGER issues_touch BEFORE INSERT OR UPDATE OF company_id, tracker_id, external_id, ext_key, key_lost, url, title, description, status, status_name, priority, priority_name, labels, acceptance_criteria, assignee_id, assignee_name, assignee_email, reporter_id, reporter_name, reporter_email, tracker_created_at, tracker_updated_at, payload, gone_at
    ON issues FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
