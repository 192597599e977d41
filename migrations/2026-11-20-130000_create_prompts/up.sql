CREATE TABLE prompts (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'company')),
    kind text NOT NULL DEFAULT 'generator' CHECK (kind IN ('generator', 'grader')),
    title text NOT NULL,
    prompt_text text NOT NULL,
    sfl_field jsonb NOT NULL,
    sfl_tenor jsonb NOT NULL,
    sfl_mode jsonb NOT NULL,
    example_output text,
    notes text,
    source_document jsonb,
    metadata jsonb NOT NULL DEFAULT '{}',
    lineage integer NOT NULL DEFAULT 1,
    current_version integer,
    labels text[] NOT NULL DEFAULT '{}',
    folded_topic text NOT NULL,
    folded_text text NOT NULL,
    grams integer[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE prompts IS 'Prompts as they are worked on. What was run or released is in prompt_versions. Every change of a prompt, its versions or its labels writes this row, whose lock makes them take turns and whose updated_at is the revision of all that is shown.';
COMMENT ON COLUMN prompts.lineage IS 'Raised when a prompt with versions is renamed: numbering starts again at 1.';
COMMENT ON COLUMN prompts.current_version IS 'The newest version of the lineage; null while it has none.';
COMMENT ON COLUMN prompts.labels IS 'The names in prompt_labels, in order, for showing them without a look there.';
COMMENT ON COLUMN prompts.folded_topic IS 'The topic without case and compatibility forms, for looking inside it.';
COMMENT ON COLUMN prompts.folded_text IS 'Title, topic, keywords and text, folded likewise.';
COMMENT ON COLUMN prompts.grams IS 'Hashes of every run of one to three characters of folded_text, mixed with the company: what pg_trgm would do, where that extension is not installed. Runs that collide are told apart by folded_text.';
CREATE INDEX prompts_changed ON prompts (company_id, updated_at, id);
CREATE INDEX prompts_shared ON prompts (company_id, updated_at, id) WHERE visibility = 'company';
CREATE INDEX prompts_owner ON prompts (owner_id, updated_at, id);
CREATE INDEX prompts_kind ON prompts (company_id, kind, updated_at, id);
CREATE INDEX prompts_sfl ON prompts USING gin (sfl_field jsonb_path_ops, sfl_tenor jsonb_path_ops, sfl_mode jsonb_path_ops);
CREATE INDEX prompts_grams ON prompts USING gin (grams);
CREATE TRIGGER prompts_touch BEFORE INSERT OR UPDATE ON prompts FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE prompt_versions (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    prompt_id uuid NOT NULL REFERENCES prompts ON DELETE CASCADE,
    lineage integer NOT NULL,
    version integer NOT NULL,
    label text NOT NULL,
    body jsonb NOT NULL,
    sha256 bytea NOT NULL,
    tokens_estimate integer NOT NULL,
    run_id uuid,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (prompt_id, lineage, version),
    UNIQUE (prompt_id, id)
);
COMMENT ON TABLE prompt_versions IS 'What a prompt said at a time, for ever: rows are never changed, and go only with their prompt.';
COMMENT ON COLUMN prompt_versions.label IS 'What the version is called, such as "Generator 6".';
COMMENT ON COLUMN prompt_versions.sha256 IS 'Of the body as canonical JSON: equal bodies are not stored twice in a row.';
COMMENT ON COLUMN prompt_versions.created_by IS 'Who made it, kept as a fact: without a foreign key, since nothing may change the row.';
COMMENT ON COLUMN prompt_versions.run_id IS 'The run that called for it.';
CREATE INDEX prompt_versions_company ON prompt_versions (company_id, id);

CREATE FUNCTION keep_prompt_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A deletion that follows from the prompt's comes from within another trigger.
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'versions of prompts are immutable' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER prompt_versions_keep BEFORE UPDATE OR DELETE ON prompt_versions
    FOR EACH ROW EXECUTE FUNCTION keep_prompt_versions();

CREATE TABLE prompt_labels (
    prompt_id uuid NOT NULL REFERENCES prompts ON DELETE CASCADE,
    name text NOT NULL,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    version_id uuid NOT NULL,
    moved_by uuid NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (prompt_id, name),
    FOREIGN KEY (prompt_id, version_id) REFERENCES prompt_versions (prompt_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE prompt_labels IS 'Names that point at one version of a prompt each: what applications ask for.';
CREATE INDEX prompt_labels_name ON prompt_labels (company_id, name, prompt_id);
CREATE INDEX prompt_labels_version ON prompt_labels (prompt_id, version_id);

CREATE TABLE prompt_label_moves (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    prompt_id uuid NOT NULL REFERENCES prompts ON DELETE CASCADE,
    name text NOT NULL,
    version_id uuid,
    moved_by uuid NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (prompt_id, version_id) REFERENCES prompt_versions (prompt_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE prompt_label_moves IS 'Every time a label was set, moved or taken away.';
COMMENT ON COLUMN prompt_label_moves.version_id IS 'Where it points from then on; null when it was taken away.';
CREATE INDEX prompt_label_moves_label ON prompt_label_moves (prompt_id, name, moved_at, id);
CREATE INDEX prompt_label_moves_version ON prompt_label_moves (prompt_id, version_id);
CREATE INDEX prompt_label_moves_company ON prompt_label_moves (company_id);
