//! That nothing of the log can be changed unseen.

use api::audit::AuditCommand;
use clap::Parser;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::support::{App, Client};

use super::{company, entries, prompt, rows, verdict};

/// What somebody with the database in their hands could do to entry `$n`, and where it shows.
const TAMPERINGS: [(&str, i64); 20] = [
    ("SET at = at + interval '1 microsecond'", 0),
    (
        "SET actor_kind = CASE actor_kind WHEN 'user' THEN 'system' ELSE 'user' END",
        0,
    ),
    ("SET actor_id = gen_random_uuid()", 0),
    ("SET actor_name = actor_name || '!'", 0),
    ("SET api_key_id = gen_random_uuid()", 0),
    ("SET ip = '10.0.0.1'", 0),
    ("SET user_agent = 'curl/9'", 0),
    ("SET request_id = 'another'", 0),
    (
        "SET action = CASE action WHEN 'read' THEN 'created' ELSE 'read' END",
        0,
    ),
    ("SET entity = 'run'", 0),
    ("SET entity_id = entity_id || '0'", 0),
    ("SET before = '{\"title\": \"Another\"}'", 0),
    ("SET after = '{\"title\": \"Another\"}'", 0),
    ("SET previous = sha256('x')", 0),
    ("SET hash = sha256('x')", 0),
    ("SET company_id = gen_random_uuid()", 0),
    ("SET number = number + 1000", 0),
    // Whoever knows how entries are hashed is told by the next one.
    (
        "SET actor_name = 'Nobody', hash = audit_hash(jsonb_populate_record(audit_entries, '{\"actor_name\": \"Nobody\"}'))",
        1,
    ),
    ("DELETE", 0),
    ("SWAP", 0),
];

/// The statement of a tampering.
fn statement(how: &str, company: &str, n: i64) -> String {
    let one = format!("WHERE company_id = '{company}' AND number = {n}");
    let all = match how {
        "DELETE" => format!("DELETE FROM audit_entries {one}"),
        "SWAP" => format!(
            "UPDATE audit_entries SET number = -1 {one};
             UPDATE audit_entries SET number = {n} WHERE company_id = '{company}' AND number = {n} + 1;
             UPDATE audit_entries SET number = {n} + 1 WHERE number = -1"
        ),
        set => format!("UPDATE audit_entries {set} {one}"),
    };
    untriggered(&all)
}

/// Done with triggers off.
fn untriggered(sql: &str) -> String {
    format!(
        "ALTER TABLE audit_entries DISABLE TRIGGER USER; {sql};
         ALTER TABLE audit_entries ENABLE TRIGGER USER"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_done_to_an_entry_is_found_where_it_was_done() {
    let app = App::start().await;
    let admin = app.register().await;
    for title in ["One", "Two", "Three", "Four", "Five", "Six"] {
        prompt(&admin, title, "company").await;
    }
    let company = company(&app, &admin).await;
    let database = app.database();
    database
        .run("CREATE TABLE kept AS TABLE audit_entries")
        .await;
    let mut conn = database.connect().await;
    for (how, behind) in TAMPERINGS {
        let place = rand::random_range(1..=6);
        database
            .run(&statement(how, &company.to_string(), place))
            .await;
        let found = db::audit::verify(&mut conn, company, None)
            .await
            .expect("a verdict");
        let at = found.broken.map(|broken| broken.number);
        assert_eq!(at, Some(place + behind), "{how} at {place}: {found:?}");
        assert_eq!(found.entries, place + behind - 1);
        let undo = "DELETE FROM audit_entries; INSERT INTO audit_entries SELECT * FROM kept";
        database.run(&untriggered(undo)).await;
        let found = db::audit::verify(&mut conn, company, None)
            .await
            .expect("a verdict");
        assert_eq!(found.broken, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_changed_and_removed_by_nobody_but_the_cut() {
    let app = App::start().await;
    let admin = app.register().await;
    for title in ["One", "Two", "Three"] {
        prompt(&admin, title, "company").await;
    }
    let mut conn = app.database().connect().await;
    for sql in [
        "UPDATE audit_entries SET ip = NULL",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
    ] {
        let refused = diesel_async::SimpleAsyncConnection::batch_execute(&mut conn, sql).await;
        assert!(
            refused
                .expect_err(sql)
                .to_string()
                .contains("never changed")
        );
    }
    let company = company(&app, &admin).await;
    app.database()
        .run(&format!("SELECT audit_cut('{company}', 2)"))
        .await;
    let found = verdict(&admin).await;
    assert_eq!(found["intact"], true, "{found}");
    let kept = entries(&admin, "limit=1000").await;
    assert_eq!(kept.last().expect("an entry")["number"], 3);
    let cut = entries(&admin, "entity=audit&action=deleted").await;
    assert_eq!(cut[0]["before"]["last"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_that_write_at_once_leave_one_chain_without_gaps() {
    let app = App::start().await;
    let admin = app.register().await;
    let before = verdict(&admin).await["head"]["number"]
        .as_i64()
        .expect("a number");
    let write = async |client: Client, place: usize| {
        for turn in 0..4 {
            prompt(&client, &format!("{place} {turn}"), "company").await;
        }
    };
    join_all((0..32).map(|place| write(admin.clone(), place))).await;
    let found = verdict(&admin).await;
    assert_eq!(found["intact"], true, "{found}");
    let made = "SELECT count(*) AS n, count(DISTINCT entity_id) AS prompts, max(number) - min(number) + 1 AS span
        FROM audit_entries WHERE number > ";
    let made = rows(&app, &format!("{made} {before}")).await;
    assert_eq!(
        (&made[0]["n"], &made[0]["prompts"]),
        (&made[0]["span"], &json!(129))
    );
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    audit: AuditCommand,
}

async fn command(app: &App, rest: &[&str]) -> anyhow::Result<Vec<String>> {
    let start = ["audit", "verify", "--database-url", app.database().url()];
    let line = Line::parse_from(start.iter().chain(rest));
    api::audit::run(line.audit).await
}

fn noted(verdict: &Value) -> String {
    let head = &verdict["head"];
    format!(
        "{}:{}",
        head["number"],
        head["hash"].as_str().expect("a hash")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_was_noted_proves_that_the_end_was_cut_off() {
    let app = App::start().await;
    let admin = app.register().await;
    let head = noted(&verdict(&admin).await);
    let path = format!("/api/audit/verify?head={head}");
    assert_eq!(admin.get(&path).await.expect(200).json()["intact"], true);
    let company = company(&app, &admin).await.to_string();
    let lines = command(&app, &["--company", &company, "--head", &head]).await;
    assert!(lines.expect("an intact log")[0].contains("intact"));
    // The last entries go, and the head is set back to what is left.
    let cut = format!(
        "DELETE FROM audit_entries WHERE company_id = '{company}' AND number > 1;
         UPDATE audit_heads h SET number = 1, hash = e.hash FROM audit_entries e
         WHERE h.company_id = '{company}' AND e.company_id = h.company_id"
    );
    app.database().run(&untriggered(&cut)).await;
    assert!(command(&app, &["--company", &company]).await.is_ok());
    let refused = command(&app, &["--company", &company, "--head", &head]).await;
    let refused = refused.expect_err("a log that was cut off").to_string();
    assert!(
        refused.contains("BROKEN at entry 2: the entry is missing"),
        "{refused}"
    );
    // What is entered after the cut has other hashes than what was there.
    let found = admin.get(&path).await.expect(200).json();
    assert_eq!(
        (&found["intact"], &found["reason"].is_string()),
        (&json!(false), &true),
        "{found}"
    );
    admin
        .get("/api/audit/verify?head=1:AB")
        .await
        .expect_problem(400, "invalid_query");
}
