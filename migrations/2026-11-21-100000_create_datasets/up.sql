CREATE TABLE datasets (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'company')),
    name text NOT NULL,
    source text NOT NULL CHECK (source IN ('upload', 'manual')),
    file_name text,
    headers text[] NOT NULL,
    version integer NOT NULL DEFAULT 1,
    row_count integer NOT NULL,
    next_row integer NOT NULL,
    sha256 bytea NOT NULL,
    archived_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE datasets IS 'Tables of rows that prompts are tried on, as their newest version stands.';
COMMENT ON COLUMN datasets.headers IS 'The columns, in order; they hold for every version.';
COMMENT ON COLUMN datasets.next_row IS 'The index that the next added row gets: indexes are never used twice.';
COMMENT ON COLUMN datasets.sha256 IS 'Of the file it was made from.';
COMMENT ON COLUMN datasets.archived_at IS 'When it was deleted while runs on it were kept: it is shown to nobody, but its rows stay readable through them.';
CREATE INDEX datasets_changed ON datasets (company_id, updated_at, id);
CREATE INDEX datasets_owner ON datasets (owner_id, updated_at, id);
CREATE TRIGGER datasets_touch BEFORE INSERT OR UPDATE ON datasets FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE dataset_versions (
    dataset_id uuid NOT NULL REFERENCES datasets ON DELETE CASCADE,
    version integer NOT NULL,
    row_count integer NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dataset_id, version)
);
COMMENT ON TABLE dataset_versions IS 'Each state of a dataset that a run may have been made on.';
COMMENT ON COLUMN dataset_versions.created_by IS 'Who made it, kept as a fact, without a foreign key.';

CREATE TABLE dataset_rows (
    dataset_id uuid NOT NULL REFERENCES datasets ON DELETE CASCADE,
    row_index integer NOT NULL,
    since integer NOT NULL,
    until integer,
    cells text[] NOT NULL,
    PRIMARY KEY (dataset_id, row_index, since),
    CHECK (until > since)
);
COMMENT ON TABLE dataset_rows IS 'Rows of datasets. A version consists of the rows with since <= version and, if set, until > version, in the order of row_index.';
COMMENT ON COLUMN dataset_rows.row_index IS 'From 0; names the row through all versions, so that results pair by it.';
COMMENT ON COLUMN dataset_rows.since IS 'The first version with this content.';
COMMENT ON COLUMN dataset_rows.until IS 'The first version without it; null while it stands.';
COMMENT ON COLUMN dataset_rows.cells IS 'One value for each header, in their order; null where the row has none.';
