DROP TRIGGER issues_touch ON issues;
CREATE TRIGGER issues_touch BEFORE INSERT OR UPDATE ON issues FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
-- Sweeps of the release before begin with the same suspects each time.
ALTER TABLE issues DROP COLUMN asked_at;
