CREATE TABLE outputs (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    prompt_id uuid NOT NULL,
    prompt_version_id uuid NOT NULL,
    creator_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    file_name text NOT NULL,
    content_type text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    sha256 bytea NOT NULL,
    storage_key text NOT NULL,
    scanner text,
    scanned_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (prompt_version_id, sha256),
    FOREIGN KEY (prompt_id, prompt_version_id) REFERENCES prompt_versions (prompt_id, id) ON DELETE CASCADE,
    CHECK ((scanner IS NULL) = (scanned_at IS NULL))
);
COMMENT ON TABLE outputs IS 'What models made of versions of prompts, kept as it was. An output is never changed; who may see its prompt may see it.';
COMMENT ON COLUMN outputs.prompt_id IS 'The prompt of the version, whose readers are those of the output.';
COMMENT ON COLUMN outputs.creator_id IS 'Who kept it.';
COMMENT ON COLUMN outputs.sha256 IS 'Of its bytes: the same bytes are kept once for each version.';
COMMENT ON COLUMN outputs.storage_key IS 'Where its bytes are. It names the checksum, but is of this row alone: removing the bytes of one takes those of no other.';
COMMENT ON COLUMN outputs.scanner IS 'The malware scanner that found nothing, with the version of its signatures; null if scanning was switched off.';
COMMENT ON COLUMN outputs.updated_at IS 'When it was kept, or when the readers of its prompt last changed.';
CREATE INDEX outputs_company ON outputs (company_id, id);
CREATE INDEX outputs_created ON outputs (company_id, created_at);
CREATE INDEX outputs_changed ON outputs (company_id, updated_at, id);
CREATE INDEX outputs_prompt ON outputs (prompt_id, id);
CREATE INDEX outputs_version ON outputs (prompt_version_id, id);
CREATE INDEX outputs_creator ON outputs (creator_id);
CREATE TRIGGER outputs_touch BEFORE INSERT OR UPDATE ON outputs FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Whoever follows changes is to hear of outputs that come into sight with their prompt.
CREATE FUNCTION show_outputs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE outputs SET updated_at = clock_timestamp() WHERE prompt_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER prompts_show_outputs AFTER UPDATE OF visibility ON prompts
    FOR EACH ROW WHEN (OLD.visibility IS DISTINCT FROM NEW.visibility) EXECUTE FUNCTION show_outputs();
