// What the BullMQ worker writes down in Postgres: `plain` one UPDATE a cell, as most would begin; `booked`
// what is nearest to our runs: a row for each attempt before its call, and with its end, in one transaction,
// the attempt, its cell and the sums of its column. Neither prices, reserves a budget or tells events.
const PLAIN = `
  CREATE TABLE rival_cells (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    turn integer NOT NULL,
    model text NOT NULL,
    question text NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    output text,
    input_tokens integer,
    output_tokens integer,
    finished_at timestamptz
  )`;
const BOOKED = `
  CREATE TABLE rival_attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cell bigint NOT NULL REFERENCES rival_cells,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    input_tokens integer,
    output_tokens integer
  );
  CREATE INDEX ON rival_attempts (cell);
  CREATE TABLE rival_columns (
    turn integer NOT NULL,
    model text NOT NULL,
    completed integer NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (turn, model)
  )`;

/** The rows of a turn, before there are jobs for them. */
async function plan(pool, turn, models, words) {
  const planned = await pool.query(
    `INSERT INTO rival_cells (turn, model, question)
     SELECT $1, model, 'Answer in a word: ' || words FROM unnest($2::text[]) words, unnest($3::text[]) model
     RETURNING id, turn, model, question`,
    [turn, words, models],
  );
  return planned.rows;
}

/** How many cells of a turn have an answer to their own question. */
async function stored(pool, turn) {
  const counted = await pool.query(
    `SELECT count(*) FROM rival_cells
     WHERE turn = $1 AND state = 'completed' AND position(question IN output) > 0 AND output_tokens > 0`,
    [turn],
  );
  return counted.rows[0].count;
}

function complete(client, cell, output, { promptTokenCount, candidatesTokenCount }) {
  return client.query(
    `UPDATE rival_cells SET state = 'completed', output = $2, input_tokens = $3, output_tokens = $4,
            finished_at = now() WHERE id = $1`,
    [cell.id, output, promptTokenCount, candidatesTokenCount],
  );
}

async function plain(pool) {
  await pool.query(PLAIN);
  return {
    plan: (...what) => plan(pool, ...what),
    stored: (turn) => stored(pool, turn),
    begin: async () => null,
    end: (cell, _, output, usage) => complete(pool, cell, output, usage),
  };
}

async function booked(pool) {
  const books = await plain(pool);
  await pool.query(BOOKED);
  return {
    ...books,
    plan: async (turn, models, words) => {
      await pool.query("INSERT INTO rival_columns (turn, model) SELECT $1, unnest($2::text[])", [turn, models]);
      return books.plan(turn, models, words);
    },
    begin: async (cell) => {
      const begun = await pool.query("INSERT INTO rival_attempts (cell) VALUES ($1) RETURNING id", [cell.id]);
      return begun.rows[0].id;
    },
    end: async (cell, attempt, output, usage) => {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        await finish(client, attempt, usage);
        await complete(client, cell, output, usage);
        // Last, since everybody waits for these rows.
        await add(client, cell, usage);
        await client.query("COMMIT");
      } catch (fault) {
        await client.query("ROLLBACK");
        throw fault;
      } finally {
        client.release();
      }
    },
  };
}

function finish(client, attempt, { promptTokenCount, candidatesTokenCount }) {
  return client.query(
    "UPDATE rival_attempts SET finished_at = now(), input_tokens = $2, output_tokens = $3 WHERE id = $1",
    [attempt, promptTokenCount, candidatesTokenCount],
  );
}

function add(client, { turn, model }, { promptTokenCount, candidatesTokenCount }) {
  return client.query(
    `UPDATE rival_columns SET completed = completed + 1, input_tokens = input_tokens + $3,
            output_tokens = output_tokens + $4 WHERE turn = $1 AND model = $2`,
    [turn, model, promptTokenCount, candidatesTokenCount],
  );
}

export const BOOKS = { plain, booked };
