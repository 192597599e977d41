//! What a caller is answered when a model does not answer.

use domain::providers::ProviderError;

use crate::error::{ApiError, Code};

impl From<ProviderError> for ApiError {
    fn from(cause: ProviderError) -> Self {
        tracing::warn!(error = %cause, error.class = cause.class(), "provider call failed");
        if let ProviderError::Paused(key) = cause.said() {
            let label = &key.label;
            let detail = format!(
                "An admin of your company has paused the provider key \"{label}\", so the model is not asked. \
                 Ask them to resume it, or name a model that is reached otherwise."
            );
            return Self::new(Code::ProviderKeyPaused, detail);
        }
        if let Some(seconds) = seconds_to_wait(&cause) {
            let detail = format!(
                "The model is not to be asked now: {cause}. Try again in {seconds} seconds."
            );
            return Self {
                retry_after: Some(seconds),
                ..Self::new(Code::TooManyRequests, detail)
            };
        }
        let code = match cause.said() {
            ProviderError::Invalid(_) | ProviderError::TooLong(_) | ProviderError::Refused(_) => {
                Code::Invalid
            }
            _ => Code::ProviderFailed,
        };
        Self::new(code, format!("The model did not answer: {cause}."))
    }
}

/// Whole seconds until it is worth asking again, if the error names a time.
pub fn seconds_to_wait(cause: &ProviderError) -> Option<u64> {
    let left = cause.retry_at()? - chrono::Utc::now();
    Some(u64::try_from(left.num_seconds()).unwrap_or(0) + 1)
}
