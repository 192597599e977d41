//! Questions as the wire has them.

use serde_json::{Value, json};
use url::Url;

use crate::trackers::call::under;

/// Issues on a page.
pub(in crate::trackers) const PAGE: u32 = 100;

/// Ids on a page; Jira gives more of them at once than of whole issues.
pub(in crate::trackers) const REFS: u32 = 1000;

/// What is asked for of an issue. Without a list there would be nothing but ids.
const FIELDS: [&str; 14] = [
    "summary",
    "description",
    "status",
    "resolution",
    "issuetype",
    "priority",
    "labels",
    "components",
    "assignee",
    "reporter",
    "created",
    "updated",
    "project",
    "duedate",
];

/// The fields, with the one of acceptance criteria.
pub(in crate::trackers) fn fields(criteria_field: Option<&str>) -> Vec<String> {
    FIELDS
        .into_iter()
        .chain(criteria_field)
        .map(str::to_owned)
        .collect()
}

/// The body of a search, from its beginning or going on.
pub(super) fn search(question: &str, fields: &[String], rows: u32, token: Option<&str>) -> Value {
    let mut body = json!({ "jql": question, "maxResults": rows, "fields": fields });
    if let Some(token) = token {
        body["nextPageToken"] = token.into();
    }
    body
}

/// The address of a project with all keys that it ever had; `None` for what is no id.
pub(in crate::trackers) fn project(api: &Url, id: &str) -> Option<Url> {
    let is_id = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    let mut address = is_id.then(|| under(api, &["project", id]))?;
    let mut query = address.query_pairs_mut();
    query.append_pair("expand", "projectKeys");
    drop(query);
    Some(address)
}

/// The address of an issue; `None` for what no issue is called.
pub(in crate::trackers) fn issue(api: &Url, id_or_key: &str) -> Option<Url> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_name = (1..=300).contains(&id_or_key.len()) && id_or_key.bytes().all(plain);
    is_name.then(|| under(api, &["issue", id_or_key]))
}
