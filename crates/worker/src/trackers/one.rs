//! One issue, asked for by its id: what the tracker says of it, apart from what keeps the tracker from
//! saying anything.

use domain::trackers::{Issue, TrackerError};

use super::Line;

/// What a tracker says of one issue.
pub(super) enum Said {
    /// It is there.
    Read(Box<Issue>),
    /// It is there, but not where this tracker is read.
    Elsewhere,
    /// It is gone, or not shown to the account.
    NotFound,
    /// The account is refused, which may be meant for this issue or for everything.
    Refused(TrackerError),
}

impl Line<'_> {
    /// Asks for an issue.
    pub(super) async fn ask(&self, external_id: &str) -> Result<Said, TrackerError> {
        let said = match self.client.fetch(external_id).await {
            Ok(issue) => self.client.is_read(&issue).await.map(|is_read| {
                if is_read {
                    Said::Read(Box::new(issue))
                } else {
                    Said::Elsewhere
                }
            }),
            Err(cause) => Err(cause),
        };
        match said {
            Err(TrackerError::NotFound) => Ok(Said::NotFound),
            Err(cause @ TrackerError::Forbidden(_)) => Ok(Said::Refused(cause)),
            said => said,
        }
    }

    /// Whether the account is shown issues at all. Without that a refusal says nothing about the issue
    /// that was asked for.
    pub(super) async fn is_let_in(&self) -> Result<bool, TrackerError> {
        match self.client.keys(None).await {
            Ok(page) => Ok(!page.issues.is_empty()),
            Err(TrackerError::Forbidden(_)) => Ok(false),
            Err(cause) => Err(cause),
        }
    }
}
