//! What a hook says: the issue it is about. Nothing else of it is kept.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{HookFault, REMEMBERED, REMEMBERED_BY_BODY};
use crate::documents::Sha256;

/// What happened to an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new or changed: fetch it.
    Changed,
    /// It is said to be gone: see whether it is.
    Deleted,
}

/// A hook that is about an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same for all repetitions of a delivery.
    pub delivery: String,
    /// How long that is to be remembered.
    pub remembered: chrono::Duration,
    /// When it happened, if the hook says.
    pub at: Option<DateTime<Utc>>,
    /// What happened.
    pub change: Change,
    /// The id in the tracker.
    pub external_id: String,
}

/// A hook of Jira, with its `X-Atlassian-Webhook-Identifier`. `None` if it is about no issue.
pub fn jira(identifier: Option<&str>, body: &[u8]) -> Result<Option<Notice>, HookFault> {
    let hook = read(body)?;
    let event = hook["webhookEvent"].as_str().ok_or(HookFault::Malformed)?;
    let change = match event {
        "jira:issue_deleted" => Change::Deleted,
        "jira:issue_created" | "jira:issue_updated" => Change::Changed,
        event if event.starts_with("comment_") => Change::Changed,
        _ => return Ok(None),
    };
    let Some(external_id) = id(&hook["issue"]["id"]) else {
        return Ok(None);
    };
    let at = hook["timestamp"].as_i64();
    // A body that names its time is that of one delivery, and signed, as its identifier is not.
    let named = identifier.filter(|_| at.is_none());
    let delivery = Sha256::of(named.map_or(body, str::as_bytes)).to_string();
    Ok(Some(Notice {
        delivery,
        remembered: REMEMBERED,
        at: at.and_then(DateTime::from_timestamp_millis),
        change,
        external_id,
    }))
}

/// A hook of Teamwork, whose event stands in its address as the body does not name it, such as
/// `TASK.UPDATED` or `task-updated`. `None` if it is about no task.
pub fn teamwork(event: &str, body: &[u8]) -> Result<Option<Notice>, HookFault> {
    let event = event.to_lowercase().replace(['-', '_'], ".");
    let Some(what) = event.strip_prefix("task.") else {
        return Ok(None);
    };
    let change = if what == "deleted" {
        Change::Deleted
    } else {
        Change::Changed
    };
    let hook = read(body)?;
    // The version before the present one has the id alone.
    let external_id = id(&hook["task"]["id"]).or_else(|| id(&hook["objectId"]));
    let external_id = external_id.or_else(|| id(&hook["id"]));
    let delivery = Sha256::of(&[event.as_bytes(), b"\n", body].concat()).to_string();
    Ok(Some(Notice {
        delivery,
        remembered: REMEMBERED_BY_BODY,
        at: None,
        change,
        external_id: external_id.ok_or(HookFault::Malformed)?,
    }))
}

fn read(body: &[u8]) -> Result<Value, HookFault> {
    serde_json::from_slice(body).map_err(|_| HookFault::Malformed)
}

/// An id, which trackers write as a text or as a number. It becomes part of an address.
fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_u64()?.to_string(),
        _ => return None,
    };
    let is_id = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then_some(text)
}
