//! The providers of models, as callers of the API meet them: what they are told when a model cannot
//! be reached or does not answer, and how each provider stands. The reaching itself is `gateway`'s.

mod failure;
pub mod health;

use gateway::ConnectError;

use crate::error::{ApiError, Code};

impl From<ConnectError> for ApiError {
    fn from(cause: ConnectError) -> Self {
        let sentence = cause.to_string();
        match cause {
            ConnectError::NoKey(_) => Self::invalid("model", sentence),
            ConnectError::Closed { key, cause } => {
                tracing::error!(error = %cause, provider_key.id = %key, "a provider key does not open");
                Self::new(Code::Unavailable, sentence)
            }
            ConnectError::Address(_) => Self::new(Code::Unavailable, sentence),
            ConnectError::Setup(cause) => Self::internal(&cause),
        }
    }
}
