//! An issue, in the same words whatever tracker it comes from.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

text_enum!(
    /// Where an issue stands. What the tracker calls it is kept beside it.
    IssueStatus {
        /// Nobody works on it yet.
        Open = "open",
        /// Somebody works on it.
        InProgress = "in_progress",
        /// The work is done.
        Done = "done",
        /// Done and closed.
        Closed = "closed",
        /// Given up: not to be done, a duplicate, deleted.
        Cancelled = "cancelled",
    }
);

text_enum!(
    /// How urgent an issue is.
    IssuePriority {
        /// Least urgent.
        Lowest = "lowest",
        /// Less urgent than most.
        Low = "low",
        /// As urgent as most.
        Medium = "medium",
        /// More urgent than most.
        High = "high",
        /// Most urgent.
        Highest = "highest",
    }
);

/// Somebody as a tracker knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The name that is shown.
    pub name: String,
    /// The address, where the tracker tells it: many hide it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<String>,
    /// Their id in the tracker.
    pub external_id: String,
}

jsonb!(Person);

/// An issue as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// Its id in the tracker, which outlives a move to another project.
    pub external_id: String,
    /// What people call it, such as `DEMO-7`; it changes with the project.
    pub ext_key: String,
    /// Where people read it.
    pub url: String,
    /// Its title, in one line.
    pub title: String,
    /// Its description as Markdown; empty without one.
    pub description: String,
    /// Where it stands.
    pub status: IssueStatus,
    /// What the tracker calls that, as it is.
    pub status_name: String,
    /// How urgent it is, if somebody said.
    pub priority: Option<IssuePriority>,
    /// What the tracker calls that, as it is.
    pub priority_name: Option<String>,
    /// Its labels or tags, each once.
    pub labels: Vec<String>,
    /// When it may be called done, as Markdown.
    pub acceptance_criteria: Option<String>,
    /// Who works on it.
    pub assignee: Option<Person>,
    /// Who reported it.
    pub reporter: Option<Person>,
    /// When it was made, if the tracker says.
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed, by the tracker's clock.
    pub updated_at: DateTime<Utc>,
    /// What the tracker sent, fit for a column of JSON.
    pub payload: Value,
}

/// What tells whether an issue is still there, still called the same, and known as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueRef {
    /// Its id in the tracker.
    pub external_id: String,
    /// Its present key.
    pub ext_key: String,
    /// When it last changed, if the tracker says.
    pub updated_at: Option<DateTime<Utc>>,
}

impl From<&Issue> for IssueRef {
    fn from(issue: &Issue) -> Self {
        Self {
            external_id: issue.external_id.clone(),
            ext_key: issue.ext_key.clone(),
            updated_at: Some(issue.updated_at),
        }
    }
}
