//! Jira Data Center: pages of rows, texts in wiki markup, a personal access token. Its search tells
//! seconds apart, no less. Tokens that begin with `bad` are refused.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    issues::{Hook, Shared, World},
    jira::{self, Query, Style, ask::Asked, base, fault},
    stage::{Cue, Fake, Heard, Said},
};

/// No page has more rows, whatever was asked for.
const MOST_ROWS: usize = 1000;

const STYLE: Style = Style {
    documents: false,
    accounts: false,
};

/// A running fake; it stops when dropped.
pub struct FakeJiraDc {
    /// What happens to calls, and which there were.
    pub stage: Fake,
    /// What it keeps.
    pub shared: Shared,
}

impl FakeJiraDc {
    /// Starts one at this time.
    pub async fn start(now: DateTime<Utc>) -> Self {
        let shared = Shared::at(now);
        shared.world().grain = 1000;
        let answering = shared.clone();
        Self {
            stage: Fake::start(move |heard, cue| answer(&answering, heard, cue)).await,
            shared,
        }
    }

    /// Where it is: below a path, as many are.
    pub fn url(&self) -> String {
        format!("{}/jira", self.stage.url)
    }

    /// A hook about an issue, signed with this secret.
    pub fn hook(&self, event: &str, id: u64, delivery: &str, secret: Option<&str>) -> Hook {
        jira::hook(&self.shared.world(), event, id, delivery, secret)
    }
}

fn answer(shared: &Shared, heard: &Heard, cue: &Cue) -> Said {
    if let Some(status) = cue.status {
        return fault(status, cue.message.as_deref().unwrap_or("Scripted."));
    }
    let (method, path) = heard.what.split_once(' ').expect("a method and a path");
    let path: Vec<&str> = path.trim_matches('/').split('/').collect();
    let ["jira", "rest", "api", "2", what @ ..] = path.as_slice() else {
        return fault(404, "Nothing there.");
    };
    let token = heard.header("authorization").strip_prefix("Bearer ");
    let is_known = token.is_some_and(|token| !token.is_empty() && !token.starts_with("bad"));
    let mut world = shared.world();
    match (method, what) {
        ("GET", ["serverInfo"]) => {
            let base = format!("{}/jira", base(heard));
            Said::whole(200, jira::server_info("Server", "10.3.1", &base))
        }
        _ if !is_known => fault(
            401,
            "You are not authenticated. Authentication required to perform this operation.",
        ),
        ("GET", ["myself"]) => Said::whole(200, jira::person(0, STYLE)),
        ("GET", ["field"]) => Said::whole(200, jira::fields()),
        ("GET" | "POST", ["search"]) => search(&mut world, heard),
        ("GET", ["issue", name]) => {
            jira::one(&world, heard, name, STYLE, &format!("{}/jira", base(heard)))
        }
        ("GET", ["project", name]) => jira::project(&world, heard, name),
        _ => fault(404, "Nothing there."),
    }
}

fn search(world: &mut World, heard: &Heard) -> Said {
    let asked = Asked::of(heard, &["*navigable"]);
    let query = match Query::parse(&asked.question, world.now, world.zone) {
        Ok(query) => query,
        Err(says) => return fault(400, &says),
    };
    let size = asked
        .rows
        .min(MOST_ROWS)
        .min(world.short.unwrap_or(usize::MAX));
    world.learn();
    let known = query.select(world.known());
    let page = known.iter().skip(asked.first).take(size);
    let base = format!("{}/jira", base(heard));
    let issues: Value = page
        .map(|row| jira::issue(row, world, &asked.fields, STYLE, &base))
        .collect();
    let body = json!({ "expand": "schema,names", "startAt": asked.first, "maxResults": size,
        "total": known.len(), "issues": issues });
    world.searched();
    Said::whole(200, body)
}
