//! Teamwork.com: tasks in pages by number, of a list that changes while it is read. Finished tasks are
//! shown to who asks for them. Tokens that begin with `bad` are refused.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{
    issues::{Hook, PEOPLE, Row, Shared, World},
    stage::{Cue, Fake, Heard, Said},
};

/// The tag of every task.
const TAG: (u32, &str) = (900, "ponds");

/// Each project has one list of tasks, of this number and its own.
const LISTS: u32 = 500;

/// As many projects are known.
const PROJECTS: u32 = 2;

/// A running fake; it stops when dropped.
pub struct FakeTeamwork {
    /// What happens to calls, and which there were.
    pub stage: Fake,
    /// What it keeps; a project's key is its number.
    pub shared: Shared,
}

impl FakeTeamwork {
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

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.stage.url
    }
}

/// A hook about a task, which does not say what happened to it; signed with this token.
pub fn hook(id: u64, token: Option<&str>) -> Hook {
    let body =
        json!({ "eventCreator": { "id": PEOPLE[0].0 }, "task": { "id": id, "projectId": 1 } });
    match token {
        Some(token) => Hook::unsigned(&body).signed("x-projects-signature", "", token),
        None => Hook::unsigned(&body),
    }
}

type Query = BTreeMap<String, String>;

fn answer(shared: &Shared, heard: &Heard, cue: &Cue) -> Said {
    if let Some(status) = cue.status {
        return fault(status, cue.message.as_deref().unwrap_or("Scripted."));
    }
    let both = heard.header("authorization").strip_prefix("Basic ");
    let both = both
        .and_then(|both| BASE64_STANDARD.decode(both).ok())
        .unwrap_or_default();
    let token = both.split(|byte| *byte == b':').next().unwrap_or_default();
    if token.is_empty() || token.starts_with(b"bad") {
        return fault(401, "The token is not known.");
    }
    let mut world = shared.world();
    let query: Query = form_urlencoded::parse(heard.query.as_bytes())
        .into_owned()
        .collect();
    let (_, path) = heard
        .what
        .split_once("/projects/api/v3/")
        .unwrap_or_default();
    match path
        .strip_suffix(".json")
        .map(|path| path.split('/').collect::<Vec<_>>())
        .as_deref()
    {
        Some(["me"]) => Said::whole(200, json!({ "person": person(0) })),
        Some(["tasks"]) => list(&mut world, &query),
        Some(["tasks", id]) => match world.find(id) {
            Some(row) if world.forbidden.contains(&row.id) => {
                fault(403, "The task is not shown to you.")
            }
            Some(row) => Said::whole(
                200,
                json!({ "task": task(row), "included": included(&query) }),
            ),
            None => fault(404, "The task was not found."),
        },
        _ => fault(404, "Nothing there."),
    }
}

fn list(world: &mut World, query: &Query) -> Said {
    let number = |name: &str, usual: usize| {
        query
            .get(name)
            .map_or(Some(usual), |text| text.parse().ok())
    };
    let (Some(page @ 1..), Some(size @ 1..=500)) = (number("page", 1), number("pageSize", 50))
    else {
        return fault(400, "The page or its size is not one.");
    };
    let size = size.min(world.short.unwrap_or(size));
    let after = query
        .get("updatedAfter")
        .map(|text| text.parse::<DateTime<Utc>>());
    let Ok(after) = after.transpose() else {
        return fault(400, "updatedAfter is no time.");
    };
    let finished = query
        .get("includeCompletedTasks")
        .is_some_and(|text| text == "true");
    let projects: Option<Vec<&str>> = query
        .get("projectIds")
        .map(|text| text.split(',').collect());
    let fits = |row: &&Row| {
        after.is_none_or(|after| row.known().is_some_and(|at| at > after))
            && (finished || row.status.1 != "done")
            && projects
                .as_ref()
                .is_none_or(|projects| projects.contains(&row.project()))
    };
    world.learn();
    let mut found: Vec<&Row> = world.known().filter(fits).collect();
    if query
        .get("orderBy")
        .is_some_and(|order| order == "updatedat")
    {
        found.sort_by_key(|row| (row.known(), row.id));
    }
    let rows = found.iter().skip((page - 1) * size).take(size);
    let tasks: Value = rows.map(|row| task(row)).collect();
    let more = page * size < found.len();
    world.searched();
    let meta = json!({ "page": { "pageOffset": page - 1, "pageSize": size, "count": 0, "hasMore": more } });
    Said::whole(
        200,
        json!({ "tasks": tasks, "included": included(query), "meta": meta }),
    )
}

fn task(row: &Row) -> Value {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut description = row.text.replace('\n', "\n\n");
    if !row.criteria.is_empty() {
        description = format!(
            "{description}\n\n## Acceptance criteria\n\n- {}",
            row.criteria.join("\n- ")
        );
    }
    let assignees: Value = row
        .assignee
        .iter()
        .map(|who| json!({ "id": PEOPLE[*who].0, "type": "users" }))
        .collect();
    json!({
        "id": row.id, "name": row.title, "description": description, "priority": row.priority.to_lowercase(), "progress": 0,
        "status": if row.status.1 == "done" { "completed" } else { "new" },
        "tasklist": { "id": LISTS + project(row), "type": "tasklists" }, "assignees": assignees, "tags": [{ "id": TAG.0, "type": "tags" }],
        "createdBy": PEOPLE[1].0, "createdAt": time(row.created), "updatedBy": PEOPLE[1].0, "updatedAt": time(row.updated),
        "deletedAt": null,
    })
}

fn project(row: &Row) -> u32 {
    row.project()
        .parse()
        .expect("a project's key is its number")
}

fn person(who: usize) -> Value {
    let (id, name, email) = PEOPLE[who];
    let (first, last) = name.split_once(' ').expect("two names");
    let mut person =
        json!({ "id": id, "firstName": first, "lastName": last, "timezone": "Europe/Berlin" });
    if let Some(email) = email {
        person["email"] = email.into();
    }
    person
}

/// What is asked for beside the tasks, by id.
fn included(query: &Query) -> Value {
    let asked: Vec<&str> = query
        .get("include")
        .map_or_else(Vec::new, |text| text.split(',').collect());
    let mut beside = Map::new();
    if asked.contains(&"users") {
        let all = (0..PEOPLE.len()).map(|who| (PEOPLE[who].0.to_string(), person(who)));
        beside.insert("users".into(), Value::Object(all.collect()));
    }
    if asked.contains(&"tags") {
        beside.insert(
            "tags".into(),
            json!({ TAG.0.to_string(): { "id": TAG.0, "name": TAG.1 } }),
        );
    }
    if asked.contains(&"tasklists") {
        let all = (1..=PROJECTS).map(|project| {
            let id = LISTS + project;
            let list = json!({ "id": id, "name": "Inbox", "projectId": project });
            (id.to_string(), list)
        });
        beside.insert("tasklists".into(), Value::Object(all.collect()));
    }
    beside.into()
}

fn fault(status: u16, says: &str) -> Said {
    Said::whole(
        status,
        json!({ "errors": [{ "id": "fake", "title": "Refused", "detail": says }] }),
    )
}
