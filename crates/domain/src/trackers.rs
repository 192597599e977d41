//! Trackers: where issues come from, in the same words for Jira Cloud, Jira Data Center and Teamwork.
//!
//! Here stand the port to a tracker, the issue as everybody else sees it, and all rules that need no
//! connection: which stretch of time a round asks for, how states and markup are translated, what
//! proves a webhook. Nothing here calls anybody or knows a clock.

pub mod adf;
mod connected;
mod credentials;
pub mod criteria;
pub mod cursor;
mod error;
pub mod hooks;
mod issue;
pub mod jobs;
pub mod jql;
pub mod mapping;
pub mod oauth;
pub mod reconcile;
mod site;
pub mod text;
pub mod wiki;

pub use connected::{
    AssigneeQuery, AuthKind, SyncKind, SyncState, TrackerGrantId, TrackerName, TrackerState,
    TrackerSyncId,
};
pub use credentials::Credentials;
pub use cursor::{Ask, Cursor, PageToken};
pub use error::{TrackerError, Verdict};
pub use issue::{Issue, IssuePriority, IssueRef, IssueStatus, Person};
pub use site::is_same_site;

use crate::providers::PortFuture;

id!(
    /// A tracker that a company connected.
    TrackerId,
    /// An issue as it is stored here; the tracker's own id is [`Issue::external_id`].
    IssueId,
);

text_enum!(
    /// Which tracker it is. The text is stored.
    TrackerKind {
        /// Jira Cloud.
        Jira = "jira",
        /// Jira Server or Data Center.
        JiraDc = "jira-dc",
        /// Teamwork.com.
        Teamwork = "teamwork",
    }
);

/// Whom a tracker takes us for, as the check of a connection finds out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Under whose name issues are read.
    pub person: Person,
    /// The zone of that person's profile, in which the tracker reads dates without one.
    pub time_zone: Option<String>,
    /// What the tracker says it is, such as `Jira 10.3.1 (Server)`.
    pub product: String,
    /// The field that goes by the name of acceptance criteria, if there is one.
    pub criteria_field: Option<String>,
}

/// A page of issues, oldest change first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The issues; one may come again on a later page, unchanged or changed.
    pub issues: Vec<Issue>,
    /// Issues that were sent but cannot be read, each with what is wrong: a single broken issue
    /// must not hold up all others.
    pub unreadable: Vec<Unreadable>,
    /// Where the next page begins; `None` at the end, whatever the length of this one.
    pub next: Option<PageToken>,
}

/// An issue that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its key or id, as far as that can be told.
    pub key: String,
    /// What is wrong with it.
    pub why: String,
}

/// A page of what a tracker has at all, for finding out what is deleted, moved or stale here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefPage {
    /// Issues in the order of their keys.
    pub issues: Vec<IssueRef>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<PageToken>,
}

/// A tracker under one account. Each method makes as few calls as it can and repeats none; when to
/// try again is for the job to decide, by [`TrackerError::verdict`].
pub trait TrackerClient: Send + Sync {
    /// Which tracker it is.
    fn kind(&self) -> TrackerKind;

    /// Signs in and finds out for whom the tracker takes us.
    fn check(&self) -> PortFuture<'_, Result<Account, TrackerError>>;

    /// A page of the issues that changed at or after a time. Every issue whose last change lies
    /// before the first page was asked for is on one of the pages, however many change meanwhile; what
    /// the tracker's own search does not show yet is left to the overlap of the next round.
    fn fetch_since<'a>(&'a self, ask: &'a Ask) -> PortFuture<'a, Result<Page, TrackerError>>;

    /// An issue by its id or key. Ids outlive a move to another project; whoever asks by a key that an
    /// issue once had is answered with [`TrackerError::Moved`].
    fn fetch<'a>(&'a self, id_or_key: &'a str) -> PortFuture<'a, Result<Issue, TrackerError>>;

    /// Whether an issue that was fetched is of a project that is read. What it says of itself may not be
    /// enough: projects change their keys.
    fn is_read<'a>(&'a self, issue: &'a Issue) -> PortFuture<'a, Result<bool, TrackerError>>;

    /// A page of everything the account may see. An issue that is on no page is suspected gone, and is
    /// gone once [`fetch`](Self::fetch) by its id says [`TrackerError::NotFound`].
    fn keys<'a>(
        &'a self,
        page: Option<&'a PageToken>,
    ) -> PortFuture<'a, Result<RefPage, TrackerError>>;
}
