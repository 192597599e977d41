//! Lists of a large library: each filter by itself, one request after another and many at once,
//! and the indexes that it took.

use std::collections::BTreeMap;

use db::{Connection, schema::users};
use diesel::{ExpressionMethods as _, QueryDsl as _, QueryableByName, sql_types};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use domain::auth::Viewer;
use serde_json::json;

use super::{library, taken};
use crate::{
    bench::{
        median, quantile,
        report::Report,
        stand::{Person, Stand},
    },
    support::make,
};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Prompts of one company.
    #[arg(long, default_value_t = 100_000)]
    prompts: usize,
    /// Their owners.
    #[arg(long, default_value_t = 50)]
    owners: usize,
    /// Clients at once.
    #[arg(long, default_value_t = 64)]
    parallel: usize,
    /// Requests of each filter, one after another and at once each.
    #[arg(long, default_value_t = 640)]
    requests: usize,
    /// The rows of a page.
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// A filter and its query.
const FILTERS: [(&str, &str); 18] = [
    ("no filter", ""),
    ("owner", "owner=me"),
    ("kind", "kind=grader"),
    ("visibility: company", "visibility=company"),
    ("visibility: private", "visibility=private"),
    ("taskType", "taskType=Rhyming"),
    ("taskType, unused", "taskType=Nothing"),
    ("aiPersona", "aiPersona=Persona%207"),
    ("targetAudience", "targetAudience=Group%207"),
    ("targetAudience, everybody's", "targetAudience=Experts"),
    ("outputFormat", "outputFormat=Format%207"),
    ("q, rare", "q=Prompt%204710%20of"),
    ("q, common", "q=lantern"),
    ("q, two letters", "q=qz"),
    ("q, unused", "q=xylophone"),
    ("topic", "topic=VALLEY%2010"),
    ("label", "label=production"),
    ("updatedSince", "updatedSince=2020-01-01T00:00:00Z"),
];

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("lists");
    let mut stand = Stand::new().await?;
    stand.start_api().await?;
    let person = stand.register().await?;
    let people = people(&stand, &person, arguments.owners).await?;
    let mut conn = stand.connect().await?;
    library::fill(&mut conn, &people, arguments.prompts).await?;
    let mut plans = BTreeMap::new();
    for (name, query) in FILTERS {
        let path = format!("/api/prompts?limit={}&{query}", arguments.limit);
        let before = settled(&mut conn).await?;
        let ask = async || person.get(&path).await;
        let one = taken(arguments.requests.min(100), 1, ask).await?;
        let many = taken(arguments.requests, arguments.parallel, ask).await?;
        let used = used(&before, &settled(&mut conn).await?);
        let ms = |times: &[f64], share| quantile(times, share) * 1e3;
        report.goal(
            name,
            format!(
                "{:.1}, {:.1} ms; {} at once: {:.1}, {:.1} ms; {}",
                median(&one) * 1e3,
                ms(&one, 0.95),
                arguments.parallel,
                ms(&many, 0.5),
                ms(&many, 0.95),
                used.join(" and ")
            ),
            "p95 < 50 ms at once",
            ms(&many, 0.95) < 50.0,
        );
        plans.insert(
            name,
            json!({ "scans": used, "oneByOne": one, "atOnce": many }),
        );
    }
    report.detail("filters", json!(plans));
    report.finish()
}

/// The owners: the person, and colleagues.
async fn people(stand: &Stand, admin: &Person, count: usize) -> anyhow::Result<Vec<Viewer>> {
    for _ in 1..count {
        admin.post("/api/users", &make::member("developer")).await?;
    }
    let viewer = stand.viewer(admin).await?;
    let ids = users::table
        .filter(users::company_id.eq(viewer.company_id))
        .select(users::id)
        .load(&mut *stand.watch().await)
        .await?;
    let of = |user_id| Viewer {
        user_id,
        ..viewer.clone()
    };
    Ok(ids.into_iter().map(of).collect())
}

/// Scans so far, by index; those of the whole table under its own name.
type Scans = BTreeMap<String, i64>;

#[derive(QueryableByName)]
struct Scan {
    #[diesel(sql_type = sql_types::Text)]
    name: String,
    #[diesel(sql_type = sql_types::BigInt)]
    scans: i64,
}

async fn scans(conn: &mut Connection) -> anyhow::Result<Scans> {
    let rows: Vec<Scan> = diesel::sql_query(
        "SELECT indexrelname::text AS name, idx_scan AS scans FROM pg_stat_user_indexes WHERE relname LIKE 'prompt%'
         UNION ALL
         SELECT 'all of ' || relname, seq_scan FROM pg_stat_user_tables WHERE relname LIKE 'prompt%'",
    )
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.scans)).collect())
}

/// The scans once all connections of the server have reported theirs: those that rest do so within
/// ten seconds.
async fn settled(conn: &mut Connection) -> anyhow::Result<Scans> {
    conn.batch_execute("SELECT pg_sleep(11)").await?;
    scans(conn).await
}

/// What was scanned in between.
fn used(before: &Scans, after: &Scans) -> Vec<String> {
    let more = after
        .iter()
        .filter(|(name, scans)| before.get(*name) != Some(scans));
    more.map(|(name, _)| name.clone()).collect()
}
