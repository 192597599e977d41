//! Issues of Jira from the wire, of the Cloud and of Data Center: they differ in the form of texts and
//! in how people are called.

use chrono::{DateTime, Utc};
use domain::trackers::{
    Issue, IssueRef, Person, TrackerError, Unreadable, adf, criteria, mapping,
    text::{self, LONGEST_TEXT, LONGEST_TITLE},
    wiki,
};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::trackers::call::under;

/// The most labels that are kept of an issue.
const MOST_LABELS: usize = 200;

/// What a search found.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    pub(super) issues: Vec<Value>,
    #[serde(rename = "nextPageToken")]
    pub(super) next: Option<String>,
    #[serde(default)]
    is_last: bool,
}

impl Found {
    /// The end is where Jira says so or names no next page; the same page again is a fault.
    pub(super) fn checked(mut self, asked: Option<&str>) -> Result<Self, TrackerError> {
        let next = self.next.take().filter(|next| !next.is_empty());
        self.next = next.filter(|_| !self.is_last);
        if self.next.is_some() && self.next.as_deref() == asked {
            return Err(TrackerError::Malformed(
                "its pages go in circles, the same one comes again".into(),
            ));
        }
        Ok(self)
    }
}

/// An account, as the Cloud and Data Center name it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Somebody {
    account_id: Option<String>,
    key: Option<String>,
    name: Option<String>,
    display_name: Option<String>,
    email_address: Option<String>,
    pub(super) time_zone: Option<String>,
}

impl Somebody {
    /// `None` without anything to tell them by.
    pub(super) fn person(self) -> Option<Person> {
        let ids = [self.account_id, self.key, self.name];
        let external_id = ids.into_iter().flatten().find(|id| !id.is_empty())?;
        let name = self.display_name.filter(|name| !name.trim().is_empty());
        let email = self.email_address.filter(|email| email.contains('@'));
        Some(Person {
            name: text::line(name.as_deref().unwrap_or(&external_id), 200),
            email: email.map(|email| text::line(&email, 320)),
            external_id: text::line(&external_id, 200),
        })
    }
}

/// How issues are read.
#[derive(Debug)]
pub(in crate::trackers) struct Reading {
    site: Url,
    criteria_field: Option<String>,
}

impl Reading {
    pub(in crate::trackers) const fn new(site: Url, criteria_field: Option<String>) -> Self {
        Self {
            site,
            criteria_field,
        }
    }

    pub(in crate::trackers) fn criteria_field(&self) -> Option<&str> {
        self.criteria_field.as_deref()
    }

    /// Those that can be read, and those that cannot.
    pub(in crate::trackers) fn issues(&self, issues: Vec<Value>) -> (Vec<Issue>, Vec<Unreadable>) {
        let mut unreadable = Vec::new();
        let mut read = Vec::with_capacity(issues.len());
        for issue in issues {
            let name = [&issue["key"], &issue["id"]]
                .into_iter()
                .find_map(Value::as_str);
            let key = text::line(name.unwrap_or("?"), 300);
            match self.issue(issue) {
                Ok(issue) => read.push(issue),
                Err(why) => unreadable.push(Unreadable {
                    key,
                    why: why.into(),
                }),
            }
        }
        (read, unreadable)
    }

    /// The issue that was asked for by this, unless it goes by another key now.
    pub(in crate::trackers) fn asked_for(
        &self,
        issue: Value,
        id_or_key: &str,
    ) -> Result<Issue, TrackerError> {
        let issue = self
            .issue(issue)
            .map_err(|why| TrackerError::Malformed(why.into()))?;
        if issue.external_id == id_or_key || issue.ext_key.eq_ignore_ascii_case(id_or_key) {
            return Ok(issue);
        }
        Err(TrackerError::Moved { key: issue.ext_key })
    }

    fn issue(&self, payload: Value) -> Result<Issue, &'static str> {
        let payload = text::storable(payload);
        let fields = &payload["fields"];
        let IssueRef {
            external_id,
            ext_key,
            updated_at,
        } = reference(&payload).ok_or("it has no id or key")?;
        let updated_at = updated_at.ok_or("it does not say when it changed")?;
        let description = markdown(&fields["description"]);
        let named = |member: &str| {
            fields[member]["name"]
                .as_str()
                .map(|name| text::line(name, 200))
        };
        let status_name = named("status").unwrap_or_default();
        let category = fields["status"]["statusCategory"]["key"].as_str();
        let resolution = named("resolution");
        let priority_name = named("priority");
        Ok(Issue {
            url: under(&self.site, &["browse", &ext_key]).into(),
            title: text::line(
                fields["summary"].as_str().unwrap_or_default(),
                LONGEST_TITLE,
            ),
            status: mapping::jira_status(
                category.unwrap_or_default(),
                &status_name,
                resolution.as_deref(),
            ),
            status_name,
            priority: priority_name.as_deref().and_then(mapping::priority),
            priority_name,
            labels: labels(&fields["labels"]),
            acceptance_criteria: self.criteria(fields, &description),
            assignee: person(&fields["assignee"]),
            reporter: person(&fields["reporter"]),
            created_at: time(&fields["created"]),
            description,
            external_id,
            ext_key,
            updated_at,
            payload,
        })
    }

    /// Those of the field, or else those in the description.
    fn criteria(&self, fields: &Value, description: &str) -> Option<String> {
        let field = self
            .criteria_field
            .as_ref()
            .map(|name| markdown(&fields[name]));
        let field = field.filter(|criteria| !criteria.trim().is_empty());
        field.or_else(|| criteria::within(description))
    }
}

/// Ids, keys and times; what has none is left out.
pub(in crate::trackers) fn refs(issues: &[Value]) -> Vec<IssueRef> {
    issues.iter().filter_map(reference).collect()
}

fn reference(issue: &Value) -> Option<IssueRef> {
    let external_id = issue["id"].as_str().filter(|id| !id.is_empty())?;
    let ext_key = issue["key"].as_str().filter(|key| !key.is_empty())?;
    Some(IssueRef {
        external_id: text::line(external_id, 100),
        ext_key: text::line(ext_key, 300),
        updated_at: time(&issue["fields"]["updated"]),
    })
}

/// A text in either form: a document in the Cloud, wiki markup in Data Center.
fn markdown(value: &Value) -> String {
    match value {
        Value::String(wiki) => wiki::to_markdown(wiki),
        document => adf::to_markdown(document),
    }
    .chars()
    .take(LONGEST_TEXT)
    .collect()
}

fn person(value: &Value) -> Option<Person> {
    let somebody: Somebody = serde_json::from_value(value.clone()).ok()?;
    somebody.person()
}

/// Each once, in their order.
fn labels(value: &Value) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    let given = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    for label in given.map(|label| text::line(label, 255)) {
        if !label.is_empty() && !labels.contains(&label) && labels.len() < MOST_LABELS {
            labels.push(label);
        }
    }
    labels
}

/// Jira writes offsets without a colon, in which readers of RFC 3339 see no time.
fn time(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?;
    let time = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z");
    let time = time.or_else(|_| DateTime::parse_from_rfc3339(text));
    time.ok().map(|time| time.to_utc())
}
