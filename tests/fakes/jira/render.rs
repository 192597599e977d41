//! Issues as Jira writes them: with documents in the third version of its API, with wiki markup in the
//! second.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::fakes::{
    issues::{PEOPLE, Row, World},
    stage::Heard,
};

/// How an issue is written.
#[derive(Debug, Clone, Copy)]
pub(in crate::fakes) struct Style {
    /// Documents instead of markup.
    pub(in crate::fakes) documents: bool,
    /// People by account ids instead of names.
    pub(in crate::fakes) accounts: bool,
}

/// An issue with these fields; `*all` and `*navigable` are all of them. Without any it is an id alone.
pub(in crate::fakes) fn issue(
    row: &Row,
    world: &World,
    fields: &[String],
    style: Style,
    base: &str,
) -> Value {
    let id = row.id.to_string();
    if fields.is_empty() || fields == ["id"] {
        return json!({ "id": id });
    }
    let version = if style.documents { 3 } else { 2 };
    let mut issue = json!({ "expand": "renderedFields,names,schema", "id": id, "key": row.key,
        "self": format!("{base}/rest/api/{version}/issue/{id}") });
    let wants = |name: &str| {
        fields
            .iter()
            .any(|field| field == name || field == "*all" || field == "*navigable")
    };
    let mut written = all(row, world, style);
    written.retain(|name, _| wants(name));
    if !written.is_empty() {
        issue["fields"] = written.into();
    }
    issue
}

/// A project by its id or any key that it ever had; all of these where they are asked for.
pub(in crate::fakes) fn project(world: &World, heard: &Heard, name: &str) -> Option<Value> {
    let id = |row: &Row| (10_000 + row.project_id).to_string();
    let is = |row: &&Row| id(row) == name || row.project_keys.iter().any(|key| key == name);
    let row = world.rows().find(is)?;
    let mut project = json!({ "expand": "projectKeys", "id": id(row), "key": row.project(), "name": row.project() });
    if heard
        .query
        .split('&')
        .any(|pair| pair == "expand=projectKeys")
    {
        project["projectKeys"] = row.project_keys.clone().into();
    }
    Some(project)
}

fn all(row: &Row, world: &World, style: Style) -> Map<String, Value> {
    let (status, category) = row.status;
    let time = |at: DateTime<Utc>| {
        at.with_timezone(&world.zone)
            .format("%Y-%m-%dT%H:%M:%S%.3f%z")
            .to_string()
    };
    let text = if style.documents {
        document(row)
    } else {
        markup(row).into()
    };
    let fields = json!({
        "summary": row.title,
        "description": text,
        "status": { "name": status, "id": "1", "statusCategory": { "id": 2, "key": category, "name": status } },
        "resolution": (category == "done").then(|| json!({ "name": "Fixed" })),
        "issuetype": { "name": "Task", "subtask": false },
        "priority": { "name": row.priority, "id": "3" },
        "labels": row.labels,
        "components": [],
        "assignee": row.assignee.map(|who| person(who, style)),
        "reporter": person(1, style),
        "created": time(row.created),
        "updated": time(row.updated),
        "project": { "id": (10_000 + row.project_id).to_string(), "key": row.project(), "name": row.project() },
        "duedate": null,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Somebody, as the API names them.
pub(in crate::fakes) fn person(who: usize, style: Style) -> Value {
    let (id, name, email) = PEOPLE[who];
    let mut person = json!({ "displayName": name, "active": true, "timeZone": "Europe/Berlin" });
    if style.accounts {
        person["accountId"] = format!("712020:{id}").into();
        person["accountType"] = "atlassian".into();
    } else {
        person["key"] = format!("JIRAUSER{id}").into();
        person["name"] = name.to_lowercase().replace(' ', ".").into();
    }
    if let Some(email) = email {
        person["emailAddress"] = email.into();
    }
    person
}

fn document(row: &Row) -> Value {
    let words = |words: &str| json!({ "type": "text", "text": words });
    let paragraph = |line: &str| json!({ "type": "paragraph", "content": [words(line)] });
    let mut content: Vec<Value> = row.text.lines().map(paragraph).collect();
    if !row.criteria.is_empty() {
        let item = |line: &String| json!({ "type": "listItem", "content": [paragraph(line)] });
        let items: Value = row.criteria.iter().map(item).collect();
        content.push(json!({ "type": "heading", "attrs": { "level": 3 }, "content": [words("Acceptance criteria")] }));
        content.push(json!({ "type": "bulletList", "content": items }));
    }
    json!({ "type": "doc", "version": 1, "content": content })
}

fn markup(row: &Row) -> String {
    let mut text = row.text.replace('\n', "\r\n\r\n");
    if !row.criteria.is_empty() {
        text.push_str("\r\n\r\nh3. Acceptance criteria");
        for line in &row.criteria {
            text.push_str("\r\n* ");
            text.push_str(line);
        }
    }
    text
}
