CREATE TABLE models (
    id uuid PRIMARY KEY,
    company_id uuid REFERENCES companies ON DELETE CASCADE,
    provider text NOT NULL CHECK (provider IN ('gemini', 'openai', 'anthropic', 'mock')),
    model text NOT NULL,
    name text NOT NULL,
    aliases text[] NOT NULL DEFAULT '{}',
    label text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('text', 'image', 'embedding')),
    description text NOT NULL DEFAULT '',
    capabilities jsonb NOT NULL DEFAULT '{}',
    prices jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(prices) = 'array'),
    is_active boolean NOT NULL DEFAULT true,
    is_default boolean NOT NULL DEFAULT false,
    retires_on date,
    replaced_by text,
    source text,
    checked_on date,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT models_model_key UNIQUE NULLS NOT DISTINCT (company_id, provider, model),
    CONSTRAINT models_name_key UNIQUE NULLS NOT DISTINCT (company_id, provider, name),
    CONSTRAINT models_default_is_seeded CHECK (company_id IS NULL OR NOT is_default)
);
COMMENT ON TABLE models IS 'The registry. Rows without a company come from the reviewed file of the program and are everybody''s; a company adds its own.';
COMMENT ON COLUMN models.model IS 'What the provider calls it.';
COMMENT ON COLUMN models.name IS 'What requests call it, alone or as provider/name.';
COMMENT ON COLUMN models.aliases IS 'Further names under which the provider offers it, such as one that means the latest.';
COMMENT ON COLUMN models.prices IS 'Steps by time and size of input, in US dollars for a million tokens, amounts as decimal texts.';
COMMENT ON COLUMN models.is_default IS 'The model of its kind where a company has chosen none; of seeded rows only.';
COMMENT ON COLUMN models.retires_on IS 'The day from which its provider no longer offers it.';
COMMENT ON COLUMN models.source IS 'Where prices and abilities were read.';
CREATE UNIQUE INDEX models_seeded_default ON models (kind) WHERE is_default;
CREATE TRIGGER models_touch BEFORE INSERT OR UPDATE ON models FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE model_choices (
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    model_id uuid NOT NULL REFERENCES models ON DELETE CASCADE,
    is_active boolean NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (company_id, model_id)
);
COMMENT ON TABLE model_choices IS 'Whether a company offers a seeded model to its people, where it has said so.';
CREATE INDEX model_choices_model ON model_choices (model_id);
CREATE TRIGGER model_choices_touch BEFORE INSERT OR UPDATE ON model_choices FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE model_defaults (
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('text', 'image', 'embedding')),
    model_id uuid REFERENCES models ON DELETE SET NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (company_id, kind)
);
COMMENT ON TABLE model_defaults IS 'The model that a company uses where none is named: one of each kind.';
COMMENT ON COLUMN model_defaults.model_id IS 'None any more: the seeded default holds. The row stays, for the time of the change is part of the models'' revision.';
CREATE INDEX model_defaults_model ON model_defaults (model_id);
CREATE TRIGGER model_defaults_touch BEFORE INSERT OR UPDATE ON model_defaults FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
