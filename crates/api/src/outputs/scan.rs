//! Whether an output may be kept: what the malware scanner says of it. Without a verdict nothing is.

use std::path::Path;

use chrono::{DateTime, Utc};
use integrations::scan::{ScanError, Scanning, Verdict};

use crate::{
    App,
    error::{ApiError, ApiResult, Code},
};

/// A scanner that found nothing, and when; none if scanning is switched off.
pub type Clearance = Option<(String, DateTime<Utc>)>;

impl From<ScanError> for ApiError {
    fn from(cause: ScanError) -> Self {
        Self::unavailable("malware scanner", &cause)
    }
}

/// Has a file looked through, if the installation has that done.
pub async fn clear(app: &App, file: &Path) -> ApiResult<Clearance> {
    check_configured(app)?;
    let Some(clamd) = &app.scanner else {
        return Ok(None);
    };
    let scan = clamd.scan(file).await?;
    match scan.verdict {
        Verdict::Clean => Ok(Some((scan.scanner, Utc::now()))),
        Verdict::Infected(name) => {
            tracing::warn!(signature = name, "an infected output was refused");
            Err(ApiError::new(
                Code::OutputInfected,
                format!("The malware scanner found {name}. The output was not kept."),
            ))
        }
        Verdict::TooLarge(limit) => Err(ApiError::new(
            Code::TooLarge,
            format!(
                "The malware scanner does not look through all of it ({limit}). Send less, or what is not packed."
            ),
        )),
    }
}

/// Refuses until an operator has decided about malware.
pub fn check_configured(app: &App) -> ApiResult<()> {
    if app.config.scan.clamd_url != Scanning::Unset {
        return Ok(());
    }
    Err(ApiError::new(
        Code::Unavailable,
        "Outputs are not taken yet: the operator has to set CLAMD_URL to a malware scanner, or to `off` to keep them unscanned.",
    ))
}
