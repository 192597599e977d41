CREATE TABLE provider_keys (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    provider text NOT NULL CHECK (provider IN ('gemini', 'openai', 'anthropic')),
    label text NOT NULL,
    base_url text,
    is_default boolean NOT NULL,
    sealed bytea NOT NULL,
    sealing_key_id text NOT NULL,
    last_four text NOT NULL,
    created_by uuid REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT provider_keys_label_key UNIQUE (company_id, provider, label),
    CONSTRAINT provider_keys_of_provider UNIQUE (company_id, provider, id)
);
COMMENT ON TABLE provider_keys IS 'Keys of model providers that companies brought along. Their text is sealed; it is opened where a call is made and nowhere else.';
COMMENT ON COLUMN provider_keys.is_default IS 'Whether it serves every model of its provider; the newest such key does. Others serve the models that name them.';
COMMENT ON COLUMN provider_keys.sealed IS 'XChaCha20-Poly1305: a nonce of 24 bytes, then the ciphertext, bound to company and row.';
COMMENT ON COLUMN provider_keys.sealing_key_id IS 'Which of SEALING_KEYS opens it.';
CREATE INDEX provider_keys_sealing_key ON provider_keys (sealing_key_id, id);
CREATE INDEX provider_keys_created_by ON provider_keys (created_by);

ALTER TABLE models
    ADD COLUMN provider_key_id uuid,
    ADD CONSTRAINT models_provider_key_fkey FOREIGN KEY (company_id, provider, provider_key_id)
        REFERENCES provider_keys (company_id, provider, id),
    ADD CONSTRAINT models_key_is_of_company CHECK (provider_key_id IS NULL OR company_id IS NOT NULL);
COMMENT ON COLUMN models.provider_key_id IS 'The key, and with it the address, that serves this model; else the company''s newest default key, else the installation''s.';
CREATE INDEX models_provider_key ON models (company_id, provider, provider_key_id);
