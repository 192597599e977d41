//! Why a task brought no result, in words for the person whose workflow it is.

use chrono::{DateTime, Utc};
use domain::providers::ProviderError;
use gateway::ConnectError;

/// The code of [`Failure::interrupted`].
pub const INTERRUPTED: &str = "interrupted";

/// Why a task brought no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Because of what it is or what it was given: trying again is useless.
    #[error("{message}")]
    Task {
        /// A stable name.
        code: &'static str,
        /// What to do.
        message: String,
    },
    /// The model that is named cannot be asked.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// A provider did not answer.
    #[error("The model did not answer: {0}.")]
    Provider(#[from] ProviderError),
    /// Something here failed.
    #[error(
        "Something on the server failed. Try again; if it stays, ask an admin to look at the logs."
    )]
    Internal(#[source] anyhow::Error),
}

impl Failure {
    /// A failure of the task's own.
    pub fn of(code: &'static str, message: impl Into<String>) -> Self {
        Self::Task {
            code,
            message: message.into(),
        }
    }

    /// What there is of a task that would be tried again, were the program not about to end.
    pub fn interrupted() -> Self {
        Self::of(INTERRUPTED, "The program is about to end.")
    }

    /// A stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Task { code, .. } => code,
            Self::Connect(_) => "model_unavailable",
            Self::Provider(cause) => cause.class(),
            Self::Internal(_) => "internal",
        }
    }

    /// The time before which trying again is useless, if one was named and nothing else is wrong.
    pub fn until(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Provider(cause) => match cause.said() {
                ProviderError::RateLimited { .. }
                | ProviderError::QuotaSpent { .. }
                | ProviderError::Held { .. }
                | ProviderError::Paused(_) => cause.retry_at(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether trying again may help.
    pub fn may_pass(&self) -> bool {
        let trouble = |cause: &ProviderError| {
            matches!(
                cause.said(),
                ProviderError::Overloaded(_)
                    | ProviderError::Timeout(_)
                    | ProviderError::Malformed(_)
            )
        };
        match self {
            Self::Provider(cause) => trouble(cause),
            Self::Internal(_) => true,
            Self::Task { .. } | Self::Connect(_) => false,
        }
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(cause: diesel::result::Error) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<db::pool::PoolError> for Failure {
    fn from(cause: db::pool::PoolError) -> Self {
        Self::Internal(cause.into())
    }
}
