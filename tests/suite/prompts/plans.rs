//! How lists are found among many prompts: by indexes, whatever the filter.

use std::time::{Duration, Instant};

use db::{Connection, prompts, schema};
use diesel::{QueryableByName, sql_types};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use domain::{
    auth::{Via, Viewer},
    page::Limit,
    prompts::{PromptId, PromptKind},
    users::{CompanyId, Role, UserId, Visibility},
};
use serde_json::json;
use tests::support::App;

/// How many prompts the library has; more by the environment, for measuring.
fn size() -> usize {
    let told = std::env::var("PROMPTS").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(12_000)
}

const WORDS: [&str; 24] = [
    "summarise",
    "ticket",
    "customer",
    "engine",
    "valley",
    "copper",
    "lantern",
    "orbit",
    "garden",
    "protocol",
    "harvest",
    "signal",
    "marble",
    "window",
    "theatre",
    "compass",
    "ribbon",
    "granite",
    "meadow",
    "copier",
    "violin",
    "harbour",
    "anchor",
    "feather",
];

const TASKS: [&str; 6] = [
    "Explanation",
    "Summarization",
    "Translation",
    "Comparison",
    "Instruction",
    "Rhyming",
];

fn prompt(viewer: &Viewer, number: usize) -> prompts::NewPrompt {
    // Whose a prompt is says nothing of what it is about.
    let n = number / 10;
    let words: Vec<String> = (0..40)
        .map(|place| {
            format!(
                "{}{}",
                WORDS[(n * 7 + place * place * 5) % WORDS.len()],
                (n * 31 + place * 17) % 997
            )
        })
        .collect();
    let read = |value: serde_json::Value| serde_json::from_value(value);
    let changes = prompts::PromptChanges {
        title: Some(format!("Prompt {number} of the {}", WORDS[n % 24]).parse().expect("a title")),
        prompt_text: Some(words.join(" ").parse().expect("a text")),
        kind: Some(if n.is_multiple_of(50) { PromptKind::Grader } else { PromptKind::Generator }),
        visibility: Some(if n.is_multiple_of(3) { Visibility::Company } else { Visibility::Private }),
        sfl_field: Some(read(json!({"topic": format!("{} {}", WORDS[n % 23], n % 211), "taskType": TASKS[n % 6]})).expect("a field")),
        sfl_tenor: Some(serde_json::from_value(json!({"aiPersona": format!("Persona {}", n % 40), "targetAudience": [format!("Group {}", n % 90), "Experts"]})).expect("a tenor")),
        sfl_mode: Some(serde_json::from_value(json!({"outputFormat": format!("Format {}", n % 15)})).expect("a mode")),
        ..prompts::PromptChanges::default()
    };
    changes
        .into_new(viewer, PromptId::new())
        .expect("a whole prompt")
}

/// Fills the library: nine of ten prompts are of the viewer's company, one of ten their own.
async fn fill(conn: &mut Connection, people: &[Viewer]) {
    conn.batch_execute("DROP INDEX prompts_grams; DROP INDEX prompts_sfl")
        .await
        .expect("no indexes while loading");
    let numbers: Vec<usize> = (0..size()).collect();
    for part in numbers.chunks(1000) {
        let rows: Vec<_> = part
            .iter()
            .map(|n| prompt(&people[n % people.len()], *n))
            .collect();
        diesel::insert_into(schema::prompts::table)
            .values(&rows)
            .execute(conn)
            .await
            .expect("rows");
    }
    conn.batch_execute(
        "SET maintenance_work_mem = '256MB';
         CREATE INDEX prompts_grams ON prompts USING gin (grams);
         CREATE INDEX prompts_sfl ON prompts USING gin (sfl_field jsonb_path_ops, sfl_tenor jsonb_path_ops, sfl_mode jsonb_path_ops);
         ANALYZE prompts",
    )
    .await
    .expect("indexes");
}

type Narrow = fn(&mut prompts::Filter);

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a value")
}

const FILTERS: [(&str, Narrow); 16] = [
    ("none", |_| ()),
    ("owner", |all| all.own = true),
    ("kind", |all| all.kind = Some(PromptKind::Grader)),
    ("visibility", |all| {
        all.visibility = Some(Visibility::Company);
    }),
    ("taskType", |all| all.task_type = Some(parsed("Rhyming"))),
    ("taskType, unused", |all| {
        all.task_type = Some(parsed("Nothing"));
    }),
    ("aiPersona", |all| {
        all.ai_persona = Some(parsed("Persona 7"));
    }),
    ("targetAudience", |all| {
        all.target_audience = Some(parsed("Group 7"));
    }),
    ("outputFormat", |all| {
        all.output_format = Some(parsed("Format 7"));
    }),
    ("q, rare", |all| all.text = Some(parsed("Prompt 4710 of"))),
    ("q, common", |all| all.text = Some(parsed("lantern"))),
    ("q, two letters", |all| all.text = Some(parsed("qz"))),
    ("q, unused", |all| all.text = Some(parsed("xylophone"))),
    ("topic", |all| all.topic = Some(parsed("VALLEY 10"))),
    ("label", |all| all.label = Some(parsed("production"))),
    ("updatedSince", |all| {
        all.updated_since = Some(chrono::Utc::now() - chrono::TimeDelta::hours(1));
    }),
];

#[derive(QueryableByName)]
struct Scans {
    #[diesel(sql_type = sql_types::BigInt)]
    seq_scan: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    idx_scan: i64,
}

/// The scans of the table so far, those of this connection reported first.
async fn scans(conn: &mut Connection) -> Scans {
    conn.batch_execute("SELECT pg_stat_force_next_flush()")
        .await
        .expect("reported");
    diesel::sql_query(
        "SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = 'prompts'",
    )
    .get_result(conn)
    .await
    .expect("scans")
}

/// Lists once; gives the scans of the table that took, and the time.
async fn measure(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &prompts::Filter,
) -> (Scans, usize, Duration) {
    let before = scans(conn).await;
    let started = Instant::now();
    let page = prompts::list(conn, viewer, filter, Limit::DEFAULT).await;
    let took = started.elapsed();
    let after = scans(conn).await;
    let taken = Scans {
        seq_scan: after.seq_scan - before.seq_scan,
        idx_scan: after.idx_scan - before.idx_scan,
    };
    (taken, page.expect("a list").rows.len(), took)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_reads_the_whole_table() {
    let app = App::start().await;
    let ada = app.register().await;
    let (bob, stranger) = (app.member(&ada, "developer").await, app.register().await);
    let mut conn = app.database().connect().await;
    let viewer = |client: &tests::support::Client| {
        let id = client.signed_in["user"]["id"].as_str().expect("an id");
        UserId(id.parse().expect("a UUID"))
    };
    let company = async |user: UserId, conn: &mut Connection| -> CompanyId {
        let profile = db::users::profile(conn, user).await.expect("a profile");
        profile.expect("a person").company_id
    };
    let mut people = Vec::new();
    for client in [
        &ada, &bob, &bob, &bob, &bob, &bob, &bob, &bob, &bob, &stranger,
    ] {
        let user_id = viewer(client);
        people.push(Viewer {
            user_id,
            company_id: company(user_id, &mut conn).await,
            role: Role::Developer,
            via: Via::SingleUser,
        });
    }
    fill(&mut conn, &people).await;
    for (name, narrow) in FILTERS {
        let mut filter = prompts::Filter::default();
        narrow(&mut filter);
        let (scans, rows, first) = measure(&mut conn, &people[0], &filter).await;
        let mut times = Vec::new();
        for _ in 0..20 {
            times.push(measure(&mut conn, &people[0], &filter).await.2);
        }
        times.sort();
        eprintln!(
            "{name}: {rows} rows, first {first:?}, median {:?}, p95 {:?}",
            times[10], times[18]
        );
        assert_eq!(scans.seq_scan, 0, "{name} reads the whole table");
        // A label that nobody has needs no look at prompts.
        assert!(scans.idx_scan > 0 || rows == 0, "{name}");
    }
}
