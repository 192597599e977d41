CREATE TABLE generation_events (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    prompt_id uuid REFERENCES prompts ON DELETE SET NULL,
    prompt_version_id uuid UNIQUE REFERENCES prompt_versions ON DELETE SET NULL,
    template_id uuid NOT NULL REFERENCES prompt_templates ON DELETE CASCADE,
    template_version_id uuid NOT NULL REFERENCES prompt_template_versions ON DELETE CASCADE,
    is_overridden boolean NOT NULL DEFAULT false,
    issue_id uuid REFERENCES issues ON DELETE SET NULL,
    request_id uuid REFERENCES requests ON DELETE SET NULL,
    tracker_id uuid,
    tokens integer NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE generation_events IS 'Each prompt that was generated: by whom, with which version of a template, for what. Written once; what they add up to is in generation_sums up to generation_folds, beyond that here.';
COMMENT ON COLUMN generation_events.prompt_version_id IS 'What was made; null once its prompt is deleted. The event stays and counts.';
COMMENT ON COLUMN generation_events.is_overridden IS 'Whether another body took the place of the template''s this once.';
COMMENT ON COLUMN generation_events.tracker_id IS 'Of the issue then, kept as a fact: without a foreign key, since numbers outlive a tracker.';
COMMENT ON COLUMN generation_events.at IS 'The moment of the write, not of its transaction''s start: what changes_horizon() relies on.';
CREATE INDEX generation_events_company ON generation_events (company_id, at);
CREATE INDEX generation_events_at ON generation_events (at);
CREATE INDEX generation_events_user ON generation_events (user_id);
CREATE INDEX generation_events_prompt ON generation_events (prompt_id);
CREATE INDEX generation_events_template ON generation_events (template_id, at);
CREATE INDEX generation_events_template_version ON generation_events (template_version_id);
CREATE INDEX generation_events_issue ON generation_events (issue_id) WHERE issue_id IS NOT NULL;
CREATE INDEX generation_events_request ON generation_events (request_id) WHERE request_id IS NOT NULL;

ALTER TABLE prompts
    ADD COLUMN issue_id uuid REFERENCES issues ON DELETE SET NULL,
    ADD COLUMN request_id uuid REFERENCES requests ON DELETE SET NULL,
    ADD COLUMN template_id uuid REFERENCES prompt_templates ON DELETE SET NULL;
COMMENT ON COLUMN prompts.template_id IS 'The template that it was generated with, and issue_id or request_id what for; null if somebody wrote it.';
CREATE INDEX prompts_issue ON prompts (issue_id) WHERE issue_id IS NOT NULL;
CREATE INDEX prompts_request ON prompts (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX prompts_template ON prompts (template_id) WHERE template_id IS NOT NULL;

CREATE TABLE generation_sums (
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    dimension text NOT NULL CHECK (dimension IN ('company', 'user', 'template', 'tracker')),
    grain text NOT NULL CHECK (grain IN ('hour', 'day', 'month')),
    start timestamptz NOT NULL,
    key uuid NOT NULL,
    prompts bigint NOT NULL,
    tokens bigint NOT NULL,
    PRIMARY KEY (company_id, dimension, grain, start, key)
);
COMMENT ON TABLE generation_sums IS 'How many prompts were generated in an hour, day or month of UTC, and how many tokens they have: of a company by all three, of a person, template and tracker by the day and month.';
COMMENT ON COLUMN generation_sums.key IS 'The company, person, template or tracker. Without a foreign key: numbers outlive them.';

CREATE TABLE generation_folds (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    folded_until timestamptz NOT NULL
);
COMMENT ON TABLE generation_folds IS 'One row: events before this moment are added up in generation_sums, later ones are not.';
INSERT INTO generation_folds (folded_until) VALUES ('2000-01-01Z');

-- A clock that was set back must not put an event behind the mark, where nobody would count it.
CREATE FUNCTION keep_before_fold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at := greatest(NEW.at, (SELECT folded_until FROM generation_folds));
    RETURN NEW;
END $$;
CREATE TRIGGER generation_events_mark BEFORE INSERT ON generation_events FOR EACH ROW EXECUTE FUNCTION keep_before_fold();
