CREATE TABLE audit_heads (
    company_id uuid PRIMARY KEY,
    number bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    cut_number bigint NOT NULL DEFAULT 0,
    cut_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
) WITH (fillfactor = 50);
COMMENT ON TABLE audit_heads IS 'The end of each company''s chain of entries, locked while one is added: numbers have no gaps.';
COMMENT ON COLUMN audit_heads.company_id IS 'No foreign key: what was done outlives the company. Zeros for what belongs to no company.';
COMMENT ON COLUMN audit_heads.cut_number IS 'The last entry that audit_cut removed; 0 while all are kept.';
COMMENT ON COLUMN audit_heads.cut_hash IS 'Its hash, from which the kept part goes on.';

CREATE TABLE audit_entries (
    company_id uuid NOT NULL,
    number bigint NOT NULL,
    at timestamptz NOT NULL,
    actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'apiKey', 'service', 'system')),
    actor_id uuid,
    actor_name text NOT NULL,
    api_key_id uuid,
    ip text,
    user_agent text,
    request_id text,
    action text NOT NULL CHECK (action IN ('created', 'updated', 'deleted', 'read')),
    entity text NOT NULL,
    entity_id text NOT NULL,
    before jsonb,
    after jsonb,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (company_id, number)
);
COMMENT ON TABLE audit_entries IS 'Who did what to which row. Each entry holds the hash of the one before; see audit_hash.';
COMMENT ON COLUMN audit_entries.number IS 'From 1 and without gaps within the company, in the order of the commits.';
COMMENT ON COLUMN audit_entries.actor_kind IS 'user and apiKey: a person; service: the API for somebody who has not signed in; system: a worker, a command line, a hand at the database.';
COMMENT ON COLUMN audit_entries.actor_name IS 'The person''s name at that time, or the program''s.';
COMMENT ON COLUMN audit_entries.entity_id IS 'The row''s key; several columns are joined by a slash. Empty for the audit log itself.';
COMMENT ON COLUMN audit_entries.before IS 'Members by column, of updates the changed ones. Long ones are digests; those of private rows are withheld.';
CREATE INDEX audit_entries_entity ON audit_entries (company_id, entity, entity_id, number);
CREATE INDEX audit_entries_actor ON audit_entries (company_id, actor_id, number);
CREATE INDEX audit_entries_at ON audit_entries (company_id, at);

CREATE FUNCTION audit_hash(e audit_entries) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(string_agg(coalesce(octet_length(f) || ':' || f, '-'), E'\n' ORDER BY n), 'UTF8'))
    FROM unnest(ARRAY[
        encode(e.previous, 'hex'), e.company_id::text, e.number::text,
        (extract(epoch FROM e.at) * 1000000)::bigint::text,
        e.actor_kind, e.actor_id::text, e.actor_name, e.api_key_id::text,
        e.ip, e.user_agent, e.request_id,
        e.action, e.entity, e.entity_id, e.before::text, e.after::text
    ]) WITH ORDINALITY AS fields (f, n)
$$;
COMMENT ON FUNCTION audit_hash(audit_entries) IS
    'SHA-256 of all fields in this order, each as its length in bytes, a colon and its text, or a dash for null, between line feeds. domain::audit computes the same.';

CREATE FUNCTION audit_append(company uuid, action text, entity text, entity_id text, before jsonb, after jsonb)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    actor jsonb := coalesce(nullif(current_setting('audit.actor', true), ''), '{}')::jsonb;
    head audit_heads;
    entry audit_entries;
BEGIN
    SELECT * INTO head FROM audit_heads h WHERE h.company_id = company FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_heads (company_id) VALUES (company) ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM audit_heads h WHERE h.company_id = company FOR UPDATE;
    END IF;
    entry.company_id := company;
    entry.number := head.number + 1;
    entry.at := clock_timestamp();
    entry.actor_kind := coalesce(actor ->> 'kind', 'system');
    entry.actor_id := (actor ->> 'id')::uuid;
    entry.actor_name := coalesce(
        (SELECT u.name FROM users u WHERE u.id = entry.actor_id),
        actor ->> 'name', nullif(current_setting('audit.program', true), ''), session_user);
    entry.api_key_id := (actor ->> 'key')::uuid;
    entry.ip := actor ->> 'ip';
    entry.user_agent := actor ->> 'agent';
    entry.request_id := actor ->> 'request';
    entry.action := action;
    entry.entity := entity;
    entry.entity_id := entity_id;
    entry.before := before;
    entry.after := after;
    entry.previous := head.hash;
    entry.hash := audit_hash(entry);
    INSERT INTO audit_entries SELECT entry.*;
    UPDATE audit_heads h SET number = entry.number, hash = entry.hash WHERE h.company_id = company;
    RETURN entry.number;
END $$;
COMMENT ON FUNCTION audit_append(uuid, text, text, text, jsonb, jsonb) IS
    'Adds an entry to a company''s chain. Who acts is the setting audit.actor: kind, id, name, key, ip, agent, request, company.';

CREATE FUNCTION audit_member(name text, value jsonb, is_private boolean) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN jsonb_typeof(value) IN ('null', 'boolean', 'number') THEN value
        WHEN is_private AND name !~ '(^|_)(id|at)$' AND name NOT IN ('visibility', 'status', 'kind')
            THEN '{"withheld": "private"}'
        WHEN octet_length(value #>> '{}') > 4000 THEN jsonb_build_object(
            'sha256', encode(sha256(convert_to(value #>> '{}', 'UTF8')), 'hex'),
            'bytes', octet_length(value #>> '{}'),
            'start', left(value #>> '{}', 200))
        ELSE value
    END
$$;
COMMENT ON FUNCTION audit_member(text, jsonb, boolean) IS
    'A member as it is kept: what a private row says is nobody''s but its owner''s, and long texts are known by their digest.';

CREATE FUNCTION audit_members(full_row jsonb, other jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(key, audit_member(key, value, full_row ->> 'visibility' = 'private'))
    FROM jsonb_each(full_row)
    WHERE other IS NULL OR value IS DISTINCT FROM other -> key
$$;
COMMENT ON FUNCTION audit_members(jsonb, jsonb) IS 'The members of a row, where there is another only those that differ.';

CREATE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    hidden text[] := array_append(TG_ARGV[2]::text[], 'updated_at');
    blank jsonb := (SELECT jsonb_object_agg(name, NULL) FROM unnest(hidden) AS names (name));
    actor jsonb := coalesce(nullif(current_setting('audit.actor', true), ''), '{}')::jsonb;
    was jsonb;
    now_is jsonb;
    before jsonb;
    after jsonb;
    either jsonb;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        was := to_jsonb(jsonb_populate_record(OLD, blank)) - hidden;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        now_is := to_jsonb(jsonb_populate_record(NEW, blank)) - hidden;
    END IF;
    before := audit_members(was, now_is);
    after := audit_members(now_is, was);
    either := coalesce(now_is, was);
    -- Rows of the registry come with the program and are nobody's.
    IF coalesce(before, after) IS NULL OR either -> 'company_id' = 'null' THEN
        RETURN NULL;
    END IF;
    PERFORM audit_append(
        coalesce(either ->> 'company_id', actor ->> 'company', '00000000-0000-0000-0000-000000000000')::uuid,
        CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'updated' ELSE 'deleted' END,
        TG_ARGV[0],
        (SELECT string_agg(either ->> name, '/' ORDER BY place)
         FROM unnest(TG_ARGV[1]::text[]) WITH ORDINALITY AS names (name, place)),
        before, after);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION audit_change() IS
    'Enters a change into the audit log. Arguments: what the row is called, the columns of its key, the columns that are never kept.';

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('audit.cut', true) = OLD.company_id::text THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'entries of the audit log are never changed; audit_cut removes the oldest'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_entries_stay_all BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE FUNCTION audit_cut(company uuid, last bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    seam bytea;
    removed bigint;
BEGIN
    PERFORM FROM audit_heads h WHERE h.company_id = company FOR UPDATE;
    SELECT e.hash INTO seam FROM audit_entries e WHERE e.company_id = company AND e.number = last;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    PERFORM set_config('audit.cut', company::text, true);
    DELETE FROM audit_entries e WHERE e.company_id = company AND e.number <= last;
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('audit.cut', '', true);
    UPDATE audit_heads h SET cut_number = last, cut_hash = seam WHERE h.company_id = company;
    PERFORM audit_append(company, 'deleted', 'audit', '',
        jsonb_build_object('entries', removed, 'last', last, 'hash', encode(seam, 'hex')), NULL);
    RETURN removed;
END $$;
COMMENT ON FUNCTION audit_cut(uuid, bigint) IS
    'Removes a company''s entries up to this number, keeps the hash from which the rest goes on, and enters that. The one way to remove entries.';

-- Deferred: what happened is entered when the transaction commits, so that the end of the company's chain
-- is locked for its last moment only.
CREATE CONSTRAINT TRIGGER users_audit AFTER INSERT OR UPDATE OR DELETE ON users
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('user', '{id}', '{password_hash}');
CREATE CONSTRAINT TRIGGER invitations_audit AFTER INSERT OR UPDATE OR DELETE ON invitations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('invitation', '{id}', '{token_hash}');
CREATE CONSTRAINT TRIGGER api_keys_audit AFTER INSERT OR UPDATE OF name, scopes, expires_at, revoked_at OR DELETE ON api_keys
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('apiKey', '{id}', '{key_hash,last_used_at}');
CREATE CONSTRAINT TRIGGER provider_keys_audit AFTER INSERT OR UPDATE OR DELETE ON provider_keys
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('providerKey', '{id}', '{sealed,sealing_key_id}');
CREATE CONSTRAINT TRIGGER models_audit AFTER INSERT OR UPDATE OR DELETE ON models
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('model', '{id}', '{}');
CREATE CONSTRAINT TRIGGER model_choices_audit AFTER INSERT OR UPDATE OR DELETE ON model_choices
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('modelChoice', '{model_id}', '{}');
CREATE CONSTRAINT TRIGGER model_defaults_audit AFTER INSERT OR UPDATE OR DELETE ON model_defaults
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('modelDefault', '{kind}', '{}');
CREATE CONSTRAINT TRIGGER prompts_audit AFTER INSERT OR UPDATE OR DELETE ON prompts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('prompt', '{id}', '{folded_topic,folded_text,grams}');
CREATE CONSTRAINT TRIGGER prompt_labels_audit AFTER INSERT OR UPDATE OR DELETE ON prompt_labels
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('promptLabel', '{prompt_id,name}', '{}');
CREATE CONSTRAINT TRIGGER prompt_templates_audit AFTER INSERT OR UPDATE OR DELETE ON prompt_templates
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('promptTemplate', '{id}', '{}');
CREATE CONSTRAINT TRIGGER datasets_audit AFTER INSERT OR UPDATE OR DELETE ON datasets
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('dataset', '{id}', '{next_row,sha256}');
CREATE CONSTRAINT TRIGGER workflows_audit AFTER INSERT OR UPDATE OR DELETE ON workflows
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('workflow', '{id}', '{}');
CREATE CONSTRAINT TRIGGER outputs_audit AFTER INSERT OR UPDATE OR DELETE ON outputs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('output', '{id}', '{file_name,storage_key,sha256}');
CREATE CONSTRAINT TRIGGER job_pauses_audit AFTER INSERT OR UPDATE OR DELETE ON job_pauses
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('jobPause', '{kind}', '{}');
CREATE CONSTRAINT TRIGGER requests_audit AFTER INSERT OR UPDATE OR DELETE ON requests
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('request', '{id}', '{comment_count,comment_bytes,activity_count}');

-- These are written by workers again and again; what people change is told apart before anything is deferred.
CREATE CONSTRAINT TRIGGER documents_audit AFTER INSERT OR DELETE ON documents
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('document', '{id}',
        '{storage_key,sha256,error_code,error,live_generation,live_model_id,live_chunker_version,live_chunks,building_generation,chunks_total,chunks_embedded}');
CREATE CONSTRAINT TRIGGER documents_audit_update AFTER UPDATE ON documents
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.owner_id, OLD.visibility, OLD.file_name) IS DISTINCT FROM (NEW.owner_id, NEW.visibility, NEW.file_name))
    EXECUTE FUNCTION audit_change('document', '{id}',
        '{storage_key,sha256,error_code,error,live_generation,live_model_id,live_chunker_version,live_chunks,building_generation,chunks_total,chunks_embedded}');
CREATE CONSTRAINT TRIGGER runs_audit AFTER INSERT OR DELETE ON runs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('run', '{id}',
        '{spent,reserved,unresolved,open_cells,last_event}');
CREATE CONSTRAINT TRIGGER runs_audit_update AFTER UPDATE ON runs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.owner_id, OLD.visibility, OLD.budget, OLD.concurrency, OLD.status = 'cancelled')
        IS DISTINCT FROM (NEW.owner_id, NEW.visibility, NEW.budget, NEW.concurrency, NEW.status = 'cancelled'))
    EXECUTE FUNCTION audit_change('run', '{id}', '{spent,reserved,unresolved,open_cells,last_event}');
CREATE CONSTRAINT TRIGGER executions_audit AFTER INSERT OR DELETE ON executions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('execution', '{id}',
        '{name,input,error_code,error_message,last_event}');
CREATE CONSTRAINT TRIGGER executions_audit_update AFTER UPDATE ON executions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.status = 'cancelled') IS DISTINCT FROM (NEW.status = 'cancelled'))
    EXECUTE FUNCTION audit_change('execution', '{id}', '{name,input,error_code,error_message,last_event}');
CREATE CONSTRAINT TRIGGER trackers_audit AFTER INSERT OR DELETE ON trackers
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_change('tracker', '{id}',
        '{cursor,next_sync_at,next_sweep_at,failures,last_sync_at,last_success_at,checked_at,error_code,error_message,renewing_by,renewing_until}');
CREATE CONSTRAINT TRIGGER trackers_audit_update AFTER UPDATE ON trackers
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.name, OLD.base_url, OLD.auth_kind, OLD.projects, OLD.version, OLD.deleted_at)
        IS DISTINCT FROM (NEW.name, NEW.base_url, NEW.auth_kind, NEW.projects, NEW.version, NEW.deleted_at))
    EXECUTE FUNCTION audit_change('tracker', '{id}',
        '{cursor,next_sync_at,next_sweep_at,failures,last_sync_at,last_success_at,checked_at,error_code,error_message,renewing_by,renewing_until}');
