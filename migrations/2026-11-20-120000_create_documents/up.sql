CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE embedding_models (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    chosen_at timestamptz
);
COMMENT ON TABLE embedding_models IS 'Provider and model of stored vectors. Vectors of different models are never compared.';
COMMENT ON COLUMN embedding_models.chosen_at IS 'When a worker with this model last found another one chosen. Only the latest choice makes documents anew, so that old and new workers side by side do not undo each other.';

CREATE TABLE documents (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'company')),
    file_name text NOT NULL,
    content_type text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    storage_key text NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    error_code text,
    error text,
    live_generation integer NOT NULL DEFAULT 0,
    live_model_id smallint REFERENCES embedding_models,
    live_chunker_version integer,
    live_chunks integer NOT NULL DEFAULT 0,
    building_generation integer NOT NULL DEFAULT 1,
    chunks_total integer NOT NULL DEFAULT 0,
    chunks_embedded integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (owner_id, sha256)
);
COMMENT ON COLUMN documents.live_generation IS 'The set of chunks that search sees; 0 while there is none. A rebuilt set replaces it in one transaction when complete.';
COMMENT ON COLUMN documents.building_generation IS 'The set of chunks being made, or the live one when nothing is being made.';
CREATE INDEX documents_company ON documents (company_id, id);
CREATE INDEX documents_changed ON documents (company_id, updated_at, id);
CREATE INDEX documents_live_model ON documents (live_model_id, company_id);
CREATE TRIGGER documents_touch BEFORE INSERT OR UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE chunks (
    company_id uuid NOT NULL,
    id uuid NOT NULL,
    document_id uuid NOT NULL REFERENCES documents ON DELETE CASCADE,
    generation integer NOT NULL,
    chunk_index integer NOT NULL,
    text text NOT NULL,
    heading_path text[] NOT NULL,
    page integer,
    char_start integer NOT NULL,
    char_end integer NOT NULL,
    sha256 bytea NOT NULL,
    terms tsvector STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (company_id, id),
    UNIQUE (company_id, document_id, generation, chunk_index)
) PARTITION BY HASH (company_id);
COMMENT ON TABLE chunks IS 'Passages of documents. Partitioned by company, so that the word index of one does not grow with all others.';
COMMENT ON COLUMN chunks.terms IS 'Words for keyword search, split by us: runs of Chinese, Japanese or Korean letters are cut into pairs. Not compressed: it would gain a third and cost as much as the rest of the row.';
COMMENT ON COLUMN chunks.sha256 IS 'Of the text: within a company, equal text is embedded once.';

CREATE TABLE chunk_embeddings (
    company_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    document_id uuid NOT NULL,
    generation integer NOT NULL,
    model_id smallint NOT NULL,
    embedding halfvec(1536) STORAGE PLAIN NOT NULL,
    PRIMARY KEY (company_id, chunk_id)
) PARTITION BY HASH (company_id);
COMMENT ON TABLE chunk_embeddings IS
    'One vector of length one per passage, in rows so narrow that an exact scan reads two per page. Approximate indexes are built per partition once a company is large. No foreign keys: they cost as much as the rows. Writers lock the document first and only add to the set it is building; chunks_forget_embeddings removes the vectors of removed passages; models are never removed.';

DO $$
BEGIN
    FOR part IN 0..15 LOOP
        EXECUTE format('CREATE TABLE chunks_p%s PARTITION OF chunks FOR VALUES WITH (MODULUS 16, REMAINDER %s)', part, part);
        EXECUTE format('CREATE TABLE chunk_embeddings_p%s PARTITION OF chunk_embeddings FOR VALUES WITH (MODULUS 16, REMAINDER %s)', part, part);
    END LOOP;
END $$;

CREATE INDEX chunks_document ON chunks (document_id);
CREATE INDEX chunks_sha256 ON chunks (company_id, sha256);
CREATE INDEX chunks_terms ON chunks USING gin (terms);
CREATE INDEX chunk_embeddings_document ON chunk_embeddings (company_id, document_id, generation);

CREATE FUNCTION forget_embeddings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM chunk_embeddings e USING gone WHERE e.company_id = gone.company_id AND e.chunk_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER chunks_forget_embeddings AFTER DELETE ON chunks REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION forget_embeddings();
