CREATE TABLE prompt_templates (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    creator_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    body_md text NOT NULL,
    lint jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    version_id uuid NOT NULL,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE prompt_templates IS 'Templates as they are now. Every change of one, its versions too, locks this row first.';
COMMENT ON COLUMN prompt_templates.lint IS 'The JSON Schema of the variables.';
COMMENT ON COLUMN prompt_templates.version IS 'The number of the newest version, which says what this row says.';
COMMENT ON COLUMN prompt_templates.version_id IS 'The same by its id. Without a foreign key: the two rows are made together, and neither is removed alone.';
COMMENT ON COLUMN prompt_templates.deleted_at IS 'When it was deleted. Row and versions stay, since prompts may have been made of them.';
CREATE UNIQUE INDEX prompt_templates_name ON prompt_templates (company_id, name) WHERE deleted_at IS NULL;
CREATE INDEX prompt_templates_changed ON prompt_templates (company_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX prompt_templates_company ON prompt_templates (company_id);
CREATE INDEX prompt_templates_creator ON prompt_templates (creator_id);
CREATE TRIGGER prompt_templates_touch BEFORE INSERT OR UPDATE ON prompt_templates FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE prompt_template_versions (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    template_id uuid NOT NULL REFERENCES prompt_templates ON DELETE CASCADE,
    version integer NOT NULL,
    body_md text NOT NULL,
    lint jsonb NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (template_id, version)
);
COMMENT ON TABLE prompt_template_versions IS 'What a template said at a time, for ever: rows are never changed, and go only with their company.';
COMMENT ON COLUMN prompt_template_versions.created_by IS 'Who saved it, kept as a fact: without a foreign key, since nothing may change the row.';
CREATE INDEX prompt_template_versions_company ON prompt_template_versions (company_id, id);

CREATE FUNCTION keep_prompt_template_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A deletion that follows from the template's comes from within another trigger.
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'versions of templates are immutable' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER prompt_template_versions_keep BEFORE UPDATE OR DELETE ON prompt_template_versions
    FOR EACH ROW EXECUTE FUNCTION keep_prompt_template_versions();
