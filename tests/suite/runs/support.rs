//! What tests of runs begin with, and what has to hold at the end of each.

use diesel_async::RunQueryDsl as _;
use serde_json::{Value, json};
use tests::support::{App, Client};

/// The path of runs.
pub const RUNS: &str = "/api/runs";

/// A prompt of this text; its id.
pub async fn prompt(client: &Client, text: &str) -> String {
    let body = json!({"title": "Tried", "promptText": text});
    let reply = client.post("/api/prompts", &body).await;
    id(&reply.expect(201).json())
}

/// A prompt that judges; its id.
pub async fn grader(client: &Client, text: &str) -> String {
    let body = json!({"title": "Judge", "promptText": text, "kind": "grader"});
    let reply = client.post("/api/prompts", &body).await;
    id(&reply.expect(201).json())
}

/// A dataset of these rows; its id.
pub async fn dataset(client: &Client, rows: &Value) -> String {
    let file = serde_json::to_vec(rows).expect("JSON");
    let reply = client
        .upload("/api/datasets", "rows.json", &file, &[])
        .await;
    id(&reply.expect(201).json())
}

/// What the mock is told, row by row, by a prompt such as `[[mock: {{script}}]]`.
pub fn scripts(scripts: &[&str]) -> Value {
    scripts
        .iter()
        .map(|script| json!({"script": script}))
        .collect()
}

/// The id of what was answered.
pub fn id(row: &Value) -> String {
    row["id"].as_str().expect("an id").to_owned()
}

/// Starts the run and answers it.
pub async fn start(client: &Client, body: &Value) -> Value {
    client.post(RUNS, body).await.expect(201).json()
}

/// The run as it stands.
pub async fn run(client: &Client, id: &str) -> Value {
    client.get(&format!("{RUNS}/{id}")).await.expect(200).json()
}

/// Starts the run, has it worked on, and answers it as it then stands.
pub async fn worked(app: &App, client: &Client, body: &Value) -> Value {
    let started = start(client, body).await;
    work(app, client, &id(&started)).await
}

/// Has a run worked on until nothing waits that anybody would begin, and answers it. Whatever waits
/// for a moment is taken to have come to it.
pub async fn work(app: &App, client: &Client, id: &str) -> Value {
    for _ in 0..20 {
        app.drain().await;
        if run(client, id).await["openCells"] == 0 {
            break;
        }
        execute(
            app,
            "UPDATE cells SET not_before = NULL WHERE not_before IS NOT NULL",
        )
        .await;
        execute(
            app,
            "UPDATE run_columns SET not_before = NULL WHERE not_before IS NOT NULL",
        )
        .await;
        execute(app, "UPDATE jobs SET run_at = now() WHERE state = 'queued'").await;
    }
    audit(app).await;
    run(client, id).await
}

/// Runs a statement.
pub async fn execute(app: &App, statement: &str) {
    let mut connection = app.database().connect().await;
    diesel::sql_query(statement)
        .execute(&mut connection)
        .await
        .expect("a statement that works");
}

#[derive(diesel::QueryableByName)]
struct Rows {
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Jsonb>)]
    rows: Option<Value>,
}

/// The rows of a query, as JSON objects.
pub async fn query(app: &App, query: &str) -> Vec<Value> {
    let mut connection = app.database().connect().await;
    let rows: Rows = diesel::sql_query(format!("SELECT jsonb_agg(q) AS rows FROM ({query}) q"))
        .get_result(&mut connection)
        .await
        .expect("a query that works");
    let rows = rows.rows.unwrap_or_else(|| json!([]));
    rows.as_array().expect("an array").clone()
}

/// The cells of a run in their order, as they are stored.
pub async fn cells(app: &App, id: &str) -> Vec<Value> {
    let of_run = format!(
        "SELECT *, (grade / 10000) AS percent FROM cells WHERE run_id = '{id}'
         ORDER BY row_index, repeat, column_index"
    );
    query(app, &of_run).await
}

/// One member of each cell.
pub async fn each(app: &App, id: &str, member: &str) -> Vec<Value> {
    let cells = cells(app, id).await;
    cells.iter().map(|cell| cell[member].clone()).collect()
}

/// What holds of all runs whatever happened to them: sums are those of the cells, money adds up to
/// the last digit, events are numbered without gaps, and nothing is graded twice.
pub async fn audit(app: &App) {
    let faults = query(app, include_str!("audit.sql")).await;
    assert!(faults.is_empty(), "{faults:#?}");
}

/// A dataset of so many rows with one column, `word`; its id.
pub async fn words(client: &Client, rows: usize) -> String {
    let words = (0..rows).map(|row| {
        format!(
            "word {row}
"
        )
    });
    let text = String::from(
        "word
",
    ) + &words.collect::<String>();
    let reply = client
        .upload("/api/datasets", "words.csv", text.as_bytes(), &[])
        .await;
    id(&reply.expect(201).json())
}
