//! Lists of a large library: each filter by itself, one request after another and many at once,
//! and the indexes that it took.

use std::collections::BTreeMap;

use db::schema::users;
use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use domain::auth::Viewer;
use serde_json::json;

use super::library;
use crate::{
    bench::{
        median, quantile,
        report::Report,
        scans::{settled, used},
        stand::{Person, Stand},
        taken,
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
        let before = settled(&mut conn, "prompt").await?;
        let ask = async || person.get(&path).await;
        let one = taken(arguments.requests.min(100), 1, ask).await?;
        let many = taken(arguments.requests, arguments.parallel, ask).await?;
        let used = used(&before, &settled(&mut conn, "prompt").await?);
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
