-- Where the rows of one dataset wait until all of them are there. It is gone with the transaction.
CREATE TEMP TABLE IF NOT EXISTS staged_rows
    (row_index integer NOT NULL, since integer NOT NULL, until integer, cells text[] NOT NULL) ON COMMIT DROP;
TRUNCATE staged_rows
