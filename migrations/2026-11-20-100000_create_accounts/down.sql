DROP TABLE idempotency_keys;
DROP TABLE sign_in_events;
DROP TABLE api_keys;
DROP TABLE invitations;
DROP TABLE users;
DROP TABLE companies;
DROP FUNCTION changes_horizon();
DROP FUNCTION touch_updated_at();
