//! Rules of the house that a reader would otherwise have to check by hand.

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use clap::{Args, Command as ClapCommand};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use tests::support::database::Database;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_openapi_document_is_the_one_that_was_reviewed() {
    let document = api::document().to_pretty_json().expect("a document");
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots" }, {
        insta::assert_snapshot!("openapi", document);
    });
}

#[test]
fn every_setting_is_in_the_example_environment() {
    let example = std::fs::read_to_string(root().join(".env.example")).expect("an example");
    let shown: BTreeSet<&str> = example
        .lines()
        .filter_map(|line| {
            line.trim_start_matches(['#', ' '])
                .split_once('=')
                .map(|(name, _)| name)
        })
        .collect();
    let api = api::Config::augment_args(ClapCommand::new("api"));
    let worker = worker::Config::augment_args(ClapCommand::new("worker"));
    let missing: BTreeSet<String> = [api, worker]
        .iter()
        .flat_map(ClapCommand::get_arguments)
        .filter_map(|argument| {
            argument
                .get_env()
                .map(|name| name.to_string_lossy().into_owned())
        })
        .filter(|name| !shown.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "add to .env.example: {missing:?}");
}

#[derive(diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    described: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_as_diesel_sees_them() {
    let database = Database::create().await;
    let columns: Vec<Column> = diesel::sql_query(
        "SELECT c.table_name || '.' || c.column_name || ' '
                || CASE c.udt_name WHEN 'int2' THEN 'SmallInt' WHEN 'int4' THEN 'Integer'
                     WHEN 'int8' THEN 'BigInt' WHEN 'bool' THEN 'Bool' WHEN '_text' THEN 'Array<Text>'
                     WHEN '_int4' THEN 'Array<Integer>'
                     WHEN 'timestamptz' THEN 'Timestamptz' ELSE initcap(c.udt_name) END
                || CASE c.is_nullable WHEN 'YES' THEN '?' ELSE '' END AS described
         FROM information_schema.columns c JOIN pg_class p ON p.relname = c.table_name
         WHERE c.table_schema = 'public' AND p.relkind IN ('r', 'p') AND NOT p.relispartition
           AND c.table_name <> '__diesel_schema_migrations'",
    )
    .load(&mut database.connect().await)
    .await
    .expect("columns");
    let stored: BTreeSet<String> = columns.into_iter().map(|column| column.described).collect();
    assert_eq!(declared(), stored);
}

/// The columns that `schema.rs` declares, in the same words.
fn declared() -> BTreeSet<String> {
    let source = std::fs::read_to_string(root().join("crates/db/src/schema.rs")).expect("a schema");
    let (mut table, mut columns) = (String::new(), BTreeSet::new());
    let lines = source.lines().map(str::trim);
    for line in lines.filter(|line| !line.starts_with("diesel::joinable!")) {
        if let Some((name, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            let (kind, nullable) = match kind.strip_prefix("Nullable<") {
                Some(inner) => (inner.trim_end_matches('>'), "?"),
                None => (kind, ""),
            };
            // Postgres does not say whether a list may hold nulls.
            let kind = kind.replace("Array<Nullable<Text>>", "Array<Text>");
            columns.insert(format!("{table}.{name} {kind}{nullable}"));
        } else if line.ends_with(") {") && line.contains(" (") {
            line.split(' ')
                .next()
                .unwrap_or_default()
                .clone_into(&mut table);
        }
    }
    columns
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_can_be_taken_back_and_applied_again() {
    let Some(dump) = pg_dump() else {
        eprintln!("skipped: set PG_BIN to the folder of pg_dump");
        return;
    };
    let database = Database::create().await;
    let full = schema(&dump, database.url());
    let mut before = Vec::new();
    while db::migrations::revert(database.url())
        .await
        .expect("a step back")
        .is_some()
    {
        before.push(schema(&dump, database.url()));
    }
    let mut connection = database.connect().await;
    let left: Vec<Column> = diesel::sql_query(
        "SELECT relname::text AS described FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'public' AND relname NOT LIKE '\\_\\_diesel%'
         UNION ALL SELECT proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname = 'public'",
    )
    .load(&mut connection)
    .await
    .expect("what is left");
    assert!(
        left.is_empty(),
        "left behind: {:?}",
        left.iter().map(|c| &c.described).collect::<Vec<_>>()
    );
    connection
        .batch_execute("SELECT 1")
        .await
        .expect("a living connection");
    db::migrations::apply(database.url())
        .await
        .expect("all again");
    assert_eq!(full, schema(&dump, database.url()));
}

fn pg_dump() -> Option<PathBuf> {
    let dump = PathBuf::from(std::env::var_os("PG_BIN")?).join("pg_dump");
    dump.exists().then_some(dump)
}

/// The schema as text, without what changes from dump to dump.
fn schema(dump: &PathBuf, url: &str) -> String {
    let output = Command::new(dump)
        .args(["--schema-only", "--no-owner", url])
        .output()
        .expect("a dump");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("text");
    let stays = |line: &&str| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict");
    text.lines().filter(stays).collect::<Vec<_>>().join("\n")
}
