//! A year of generations, written past the API.

use std::time::Instant;

use chrono::{NaiveDate, Utc};
use db::Connection;
use diesel::{QueryableByName, sql_types};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use domain::auth::Viewer;

/// What there is.
pub struct History {
    /// Events that were added up.
    pub folded: u32,
    /// How long that took.
    pub seconds: f64,
    /// The last day of the year: today.
    pub last_day: NaiveDate,
    /// An issue.
    pub issue: String,
}

/// Fills the tables: fifty people, twenty templates, three trackers.
pub async fn fill(
    conn: &mut Connection,
    viewer: &Viewer,
    events: u32,
    fresh: u32,
) -> anyhow::Result<History> {
    let (company, user, issue) = (viewer.company_id, viewer.user_id, uuid::Uuid::now_v7());
    let filled = format!(
        "INSERT INTO users (id, company_id, email, name, role)
             SELECT uuidv7(), '{company}', 'p' || n || '@example.com', 'Person ' || n, 'developer' FROM generate_series(1, 49) n;
         INSERT INTO prompt_templates (id, company_id, creator_id, name, body_md, lint, version_id)
             SELECT uuidv7(), '{company}', '{user}', 'Template ' || n, 'x', '{{}}', uuidv7() FROM generate_series(1, 20) n;
         INSERT INTO prompt_template_versions (id, company_id, template_id, version, body_md, lint, created_by)
             SELECT version_id, company_id, id, 1, body_md, lint, creator_id FROM prompt_templates;
         INSERT INTO trackers (id, company_id, name, kind, base_url, auth_kind)
             SELECT uuidv7(), '{company}', 'Tracker ' || n, 'jira', 'https://example.com', 'basic' FROM generate_series(1, 3) n;
         INSERT INTO issues (id, company_id, tracker_id, external_id, ext_key, url, title, description, status, status_name, labels, tracker_updated_at, payload)
             SELECT '{issue}', '{company}', id, '1', 'A-1', 'https://example.com', 'Some issue', repeat('What is to be done. ', 200), 'open', 'To Do', '{{a,b,c}}', now(), '{{}}'
             FROM trackers LIMIT 1"
    );
    conn.batch_execute(&filled).await?;
    let written = |from: u32, to: u32, at: &str| {
        format!(
            "WITH people AS (SELECT array_agg(id) AS ids FROM users WHERE company_id = '{company}'),
             templates AS (SELECT array_agg(id ORDER BY id) AS ids, array_agg(version_id ORDER BY id) AS versions FROM prompt_templates),
             places AS (SELECT array_agg(id) AS ids FROM trackers)
             INSERT INTO generation_events (id, company_id, user_id, template_id, template_version_id, tracker_id, tokens, at)
             SELECT gen_random_uuid(), '{company}', people.ids[1 + n % 50], templates.ids[1 + n * 7 % 20], templates.versions[1 + n * 7 % 20],
                 places.ids[1 + n * 5 % 3], 100 + n % 900, {at}
             FROM people, templates, places, generate_series({from}, {to}) AS n"
        )
    };
    let spread =
        format!("now() - interval '365 days' * (1 - n::float / {events}) - interval '1 minute'");
    conn.batch_execute(&written(1, events - fresh, &spread))
        .await?;
    let began = Instant::now();
    while db::stats::fold(conn).await? {}
    let seconds = began.elapsed().as_secs_f64();
    conn.batch_execute(&written(events - fresh + 1, events, "clock_timestamp()"))
        .await?;
    // Not within a transaction, which several statements at once would be.
    conn.batch_execute("VACUUM ANALYZE").await?;
    Ok(History {
        folded: events - fresh,
        seconds,
        last_day: Utc::now().date_naive(),
        issue: issue.to_string(),
    })
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = sql_types::Text, column_name = "QUERY PLAN")]
    line: String,
}

/// How Postgres reads the year.
pub async fn plans(conn: &mut Connection, viewer: &Viewer) -> anyhow::Result<Vec<String>> {
    let counted = include_str!("../../../../crates/db/src/stats/counted.sql");
    let statements = [
        (
            include_str!("../../../../crates/db/src/stats/series.sql"),
            "company",
            "'week'",
        ),
        (
            include_str!("../../../../crates/db/src/stats/shares.sql"),
            "template",
            "10",
        ),
    ];
    let mut plans = Vec::new();
    for (statement, by, eighth) in statements {
        let statement = format!("{counted}{statement}")
            .replace("$1", &format!("'{}'", viewer.company_id))
            .replace(
                "$2",
                "date_trunc('day', now() - interval '364 days', 'UTC')",
            )
            .replace("$3", "date_trunc('day', now() + interval '1 day', 'UTC')")
            .replace("$4", &format!("'{by}'"))
            .replace(
                "$5",
                "date_trunc('month', now() - interval '333 days', 'UTC')",
            )
            .replace("$6", "date_trunc('month', now(), 'UTC')")
            .replace("$7", "'day'")
            .replace("$8", eighth);
        let lines: Vec<Line> = diesel::sql_query(format!("EXPLAIN (ANALYZE, BUFFERS) {statement}"))
            .load(conn)
            .await?;
        let lines: Vec<String> = lines.into_iter().map(|line| line.line).collect();
        plans.push(lines.join("\n"));
    }
    Ok(plans)
}
