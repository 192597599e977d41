//! Lists of many requests with their comments, as each role sees them: each filter by itself, one
//! request after another and many at once, and the indexes that it took.

mod desk;

use std::collections::BTreeMap;

use serde_json::json;

use crate::bench::{
    median, quantile,
    report::Report,
    scans::{settled, used},
    stand::{Person, Stand},
    taken,
};
use desk::Desk;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Requests of one company.
    #[arg(long, default_value_t = 100_000)]
    requests: usize,
    /// Comments on each.
    #[arg(long, default_value_t = 5)]
    comments: usize,
    /// Developers of the company, and as many requesters.
    #[arg(long, default_value_t = 20)]
    people: usize,
    /// Clients at once.
    #[arg(long, default_value_t = 64)]
    parallel: usize,
    /// Questions of each kind at once; a sixth of them one after another.
    #[arg(long, default_value_t = 640)]
    questions: usize,
    /// The rows of a page.
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

/// Who asks.
#[derive(Clone, Copy)]
enum Role {
    Admin,
    Developer,
    Requester,
}

/// What is asked, by whom, with which query. `DEV` and `REQ` are somebody's ids.
const QUESTIONS: [(&str, Role, &str); 24] = [
    ("admin: all", Role::Admin, ""),
    ("admin: status, many", Role::Admin, "status=Accepted"),
    ("admin: status, few", Role::Admin, "status=Submitted"),
    ("admin: priority", Role::Admin, "priority=High"),
    ("admin: vendor", Role::Admin, "vendor=KUKA"),
    ("admin: vendor, unused", Role::Admin, "vendor=Nobody"),
    (
        "admin: status and vendor",
        Role::Admin,
        "status=Denied&vendor=ABB",
    ),
    ("admin: assignedTo", Role::Admin, "assignedTo=DEV"),
    ("admin: createdBy", Role::Admin, "createdBy=REQ"),
    ("admin: q, rare", Role::Admin, "q=Cell%2047103%20of"),
    ("admin: q, common", Role::Admin, "q=gripper"),
    ("admin: q, everywhere", Role::Admin, "q=the%20arm"),
    ("admin: q, two letters", Role::Admin, "q=qz"),
    ("admin: q, unused", Role::Admin, "q=xylophone"),
    (
        "admin: q and status",
        Role::Admin,
        "q=gripper&status=Submitted",
    ),
    (
        "admin: updatedSince",
        Role::Admin,
        "updatedSince=2020-01-01T00:00:00Z",
    ),
    ("developer: all", Role::Developer, ""),
    ("developer: assignedTo=me", Role::Developer, "assignedTo=me"),
    ("developer: status", Role::Developer, "status=Completed"),
    ("developer: q, common", Role::Developer, "q=gripper"),
    (
        "developer: updatedSince",
        Role::Developer,
        "updatedSince=2020-01-01T00:00:00Z",
    ),
    ("requester: all", Role::Requester, ""),
    ("requester: status", Role::Requester, "status=Completed"),
    ("requester: q, common", Role::Requester, "q=gripper"),
];

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("requests");
    let mut stand = Stand::new().await?;
    stand.start_api().await?;
    let desk = Desk::open(&stand, arguments.people).await?;
    let mut conn = stand.connect().await?;
    desk.fill(&mut conn, arguments.requests, arguments.comments)
        .await?;
    let mut plans = BTreeMap::new();
    let mut before = settled(&mut conn, "request").await?;
    for (name, role, query) in QUESTIONS {
        let query = query
            .replace("DEV", &desk.developers[0].to_string())
            .replace("REQ", &desk.requesters[0].to_string());
        let path = format!("/api/requests?limit={}&{query}", arguments.limit);
        let (one, many) = times(&desk, role, &path, arguments).await?;
        let after = settled(&mut conn, "request").await?;
        let used = used(&before, &after);
        before = after;
        let holds = quantile(&many, 0.95) < 0.05;
        let figure = format!("{}; {}", shown(&one, &many, arguments), used.join(" and "));
        report.goal(name, figure, "p95 < 50 ms at once", holds);
        plans.insert(
            name,
            json!({ "scans": used, "oneByOne": one, "atOnce": many }),
        );
    }
    report.detail("questions", json!(plans));
    for (name, path) in [
        ("admin: a whole page of 1000", "/api/requests"),
        ("admin: stats", "/api/requests/stats"),
    ] {
        let few = Arguments {
            questions: arguments.questions / 10,
            ..*arguments
        };
        let (one, many) = times(&desk, Role::Admin, path, &few).await?;
        report.line(name, shown(&one, &many, arguments));
    }
    report.finish()
}

/// Seconds of each question, one after another and at once.
async fn times(
    desk: &Desk,
    role: Role,
    path: &str,
    arguments: &Arguments,
) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let person: &Person = match role {
        Role::Admin => &desk.admin,
        Role::Developer => &desk.developer,
        Role::Requester => &desk.requester,
    };
    let ask = async || person.get(path).await;
    let one = taken((arguments.questions / 6).max(1), 1, ask).await?;
    let many = taken(arguments.questions, arguments.parallel, ask).await?;
    Ok((one, many))
}

fn shown(one: &[f64], many: &[f64], arguments: &Arguments) -> String {
    let ms = |times: &[f64], share| quantile(times, share) * 1e3;
    format!(
        "{:.1}, {:.1} ms; {} at once: {:.1}, {:.1} ms",
        median(one) * 1e3,
        ms(one, 0.95),
        arguments.parallel,
        ms(many, 0.5),
        ms(many, 0.95)
    )
}
