CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- First the transaction gets its number and is seen as a writer, then the time is read.
    PERFORM pg_current_xact_id();
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;
COMMENT ON FUNCTION touch_updated_at() IS
    'Stamps a row with the moment of its write, not of its transaction''s start: what changes_horizon() relies on.';

CREATE FUNCTION changes_horizon() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(min(xact_start), clock_timestamp())
    FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND datname = current_database() AND pid <> pg_backend_pid()
$$;
COMMENT ON FUNCTION changes_horizon() IS
    'Every write stamped before this moment is visible now. A reader that polls for changes and stops here misses none that commits late.';

CREATE TABLE companies (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE companies IS 'The tenant: nothing of one company is ever visible to another.';

CREATE TABLE users (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('requester', 'developer', 'lead', 'admin')),
    password_hash text,
    is_active boolean NOT NULL DEFAULT true,
    token_epoch integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN users.email IS 'Lower-cased; unique over all companies, because it alone names who signs in.';
COMMENT ON COLUMN users.password_hash IS 'argon2id in PHC form; null while an account has no password.';
COMMENT ON COLUMN users.token_epoch IS 'Access tokens of an older epoch are refused: raised by "log out everywhere" and by a new password.';
CREATE INDEX users_company ON users (company_id, id);
CREATE TRIGGER users_touch BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    email text NOT NULL,
    role text NOT NULL CHECK (role IN ('requester', 'developer', 'lead', 'admin')),
    token_hash bytea NOT NULL UNIQUE,
    invited_by uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE invitations IS 'One-time links by which people join a company; only the hash of the token is kept.';
CREATE INDEX invitations_company ON invitations (company_id, id);
CREATE INDEX invitations_invited_by ON invitations (invited_by);

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    key_hash bytea NOT NULL UNIQUE,
    last_four text NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN api_keys.key_hash IS 'SHA-256 of the key: its 256 random bits need no slow hash.';
CREATE INDEX api_keys_user ON api_keys (user_id, id);
CREATE INDEX api_keys_company ON api_keys (company_id);

CREATE TABLE sign_in_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company_id uuid REFERENCES companies ON DELETE CASCADE,
    user_id uuid REFERENCES users ON DELETE CASCADE,
    email text NOT NULL,
    kind text NOT NULL CHECK (kind IN
        ('registered', 'signed_in', 'failed', 'locked', 'refreshed', 'reuse_detected', 'signed_out',
         'signed_out_everywhere', 'password_changed', 'invitation_accepted')),
    ip text NOT NULL,
    user_agent text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE sign_in_events IS 'Every attempt to get in, successful or not. An attempt on an unknown address has no user.';
CREATE INDEX sign_in_events_company ON sign_in_events (company_id, id);
CREATE INDEX sign_in_events_user ON sign_in_events (user_id, id);
CREATE INDEX sign_in_events_created ON sign_in_events (created_at);

CREATE TABLE idempotency_keys (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status smallint,
    answer bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
COMMENT ON TABLE idempotency_keys IS 'First answers by Idempotency-Key, kept for 24 hours; no status yet means the first request is still under way.';
COMMENT ON COLUMN idempotency_keys.answer IS 'Sealed with a key derived from the client''s own, since an answer may hold a secret that is shown once.';
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
