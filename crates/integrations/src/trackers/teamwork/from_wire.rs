//! Tasks from the wire. What they name by id alone stands in maps beside them.

use chrono::{DateTime, Utc};
use domain::trackers::{
    Account, Issue, Person, TrackerError, Unreadable, criteria, mapping,
    text::{self, LONGEST_TEXT, LONGEST_TITLE},
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::trackers::call::under;

/// The most tags that are kept of a task.
const MOST_TAGS: usize = 200;

/// A page of tasks.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    tasks: Vec<Value>,
    #[serde(default)]
    included: Value,
    #[serde(default)]
    meta: Value,
}

/// One task.
#[derive(Debug, Deserialize)]
pub(super) struct One {
    task: Value,
    #[serde(default)]
    included: Value,
}

/// Who we are.
#[derive(Debug, Deserialize)]
pub(super) struct Me {
    person: Value,
}

impl Found {
    /// Whether there are more: by what it says, not by how many came.
    pub(super) fn goes_on(&self) -> bool {
        self.meta["page"]["hasMore"] == true
    }

    /// Those that can be read, and those that cannot.
    pub(super) fn issues(self, site: &Url) -> (Vec<Issue>, Vec<Unreadable>) {
        let mut unreadable = Vec::new();
        let mut read = Vec::with_capacity(self.tasks.len());
        for task in self.tasks {
            let key = id(&task["id"]).unwrap_or_else(|| "?".into());
            match issue(&task, &self.included, site) {
                Ok(issue) => read.push(issue),
                Err(why) => unreadable.push(Unreadable {
                    key,
                    why: why.into(),
                }),
            }
        }
        (read, unreadable)
    }
}

impl One {
    /// The task; one that was deleted is none.
    pub(super) fn issue(self, site: &Url) -> Result<Issue, TrackerError> {
        let is_deleted = self.task["status"] == "deleted" || self.task["deletedAt"].is_string();
        if is_deleted {
            return Err(TrackerError::NotFound);
        }
        issue(&self.task, &self.included, site).map_err(|why| TrackerError::Malformed(why.into()))
    }
}

impl Me {
    pub(super) fn account(&self) -> Result<Account, TrackerError> {
        let person = person(&self.person);
        let person =
            person.ok_or_else(|| TrackerError::Malformed("it does not say who we are".into()))?;
        Ok(Account {
            person,
            time_zone: self.person["timezone"]
                .as_str()
                .map(|zone| text::line(zone, 100)),
            product: "Teamwork".into(),
            criteria_field: None,
        })
    }
}

fn issue(task: &Value, included: &Value, site: &Url) -> Result<Issue, &'static str> {
    let external_id = id(&task["id"]).ok_or("it has no id")?;
    let updated_at = time(&task["updatedAt"]).or_else(|| time(&task["createdAt"]));
    let description = task["description"].as_str().unwrap_or_default();
    let description = text::lines(description, LONGEST_TEXT);
    let status_name = text::line(task["status"].as_str().unwrap_or_default(), 200);
    let progress = task["progress"].as_i64().unwrap_or_default();
    let priority = task["priority"].as_str().filter(|name| *name != "none");
    let priority_name = priority.map(|name| text::line(name, 200));
    Ok(Issue {
        url: under(site, &["app", "tasks", &external_id]).into(),
        title: text::line(task["name"].as_str().unwrap_or_default(), LONGEST_TITLE),
        acceptance_criteria: criteria::within(&description),
        description,
        status: mapping::teamwork_status(&status_name, progress),
        status_name,
        priority: priority_name.as_deref().and_then(mapping::priority),
        priority_name,
        labels: tags(&task["tags"], included),
        assignee: task["assignees"]
            .as_array()
            .and_then(|all| all.iter().find_map(|one| user(one, included))),
        reporter: user(&task["createdBy"], included),
        created_at: time(&task["createdAt"]),
        updated_at: updated_at.ok_or("it does not say when it changed")?,
        ext_key: external_id.clone(),
        payload: text::storable(json!({ "task": task, "included": named_in(task, included) })),
        external_id,
    })
}

/// The project of a task, by what was kept of it: the task may say, or the list that it is on.
pub(super) fn project(payload: &Value) -> Option<u64> {
    let task = &payload["task"];
    let list = id_of(&task["tasklist"]).unwrap_or_default();
    let list = &payload["included"]["tasklists"][list];
    let names = [task, list].map(|one| [&one["projectId"], &one["project"]]);
    names.into_iter().flatten().find_map(|name| {
        // Where it is not told it is nought.
        id_of(name)?.parse().ok().filter(|id| *id != 0)
    })
}

/// Of what came beside a page only what this task names: the rest is of other tasks.
fn named_in(task: &Value, included: &Value) -> Value {
    let pick = |kind: &str, names: Vec<&Value>| {
        let found = names.into_iter().filter_map(|name| {
            let id = id_of(name)?;
            let one = included[kind].get(&id)?;
            Some((id, one.clone()))
        });
        Value::Object(found.collect())
    };
    let many = |member: &str| {
        task[member]
            .as_array()
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    let mut people = many("assignees");
    people.extend([&task["createdBy"], &task["updatedBy"]]);
    json!({
        "users": pick("users", people),
        "tags": pick("tags", many("tags")),
        "tasklists": pick("tasklists", vec![&task["tasklist"]]),
    })
}

fn tags(tags: &Value, included: &Value) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for tag in tags.as_array().into_iter().flatten() {
        let beside = id_of(tag).and_then(|id| included["tags"][&id]["name"].as_str());
        let name = beside.or_else(|| tag["name"].as_str()).unwrap_or_default();
        let name = text::line(name, 255);
        if !name.is_empty() && !names.contains(&name) && names.len() < MOST_TAGS {
            names.push(name);
        }
    }
    names
}

/// Somebody who is named by their id; also one of whom nothing else is told.
fn user(name: &Value, included: &Value) -> Option<Person> {
    let is_person = name["type"].as_str().is_none_or(|kind| kind == "users");
    let id = id_of(name).filter(|_| is_person)?;
    let beside = included["users"].get(&id).and_then(person);
    Some(beside.unwrap_or(Person {
        name: id.clone(),
        email: None,
        external_id: id,
    }))
}

fn person(user: &Value) -> Option<Person> {
    let external_id = id(&user["id"])?;
    let names =
        [&user["firstName"], &user["lastName"]].map(|name| name.as_str().unwrap_or_default());
    let name = text::line(&names.join(" "), 200);
    let email = user["email"].as_str().filter(|email| email.contains('@'));
    Some(Person {
        name: if name.is_empty() {
            external_id.clone()
        } else {
            name
        },
        email: email.map(|email| text::line(email, 320)),
        external_id,
    })
}

/// The id of what is named, by itself or as `{id, type}`.
fn id_of(name: &Value) -> Option<String> {
    id(name).or_else(|| id(&name["id"]))
}

/// An id, which is a number or figures.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        Value::String(text)
            if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Some(text.clone())
        }
        _ => None,
    }
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(time.to_utc())
}
