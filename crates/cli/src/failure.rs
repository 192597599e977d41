//! Why a command came to nothing, and the exit codes that pipelines go by.

use std::process::ExitCode;

use serde_json::Value;

/// A verdict was asked for, and it is no.
pub const NOT_GOOD_ENOUGH: u8 = 1;

/// Nothing was started, or not finished: there is no verdict.
const NO_VERDICT: u8 = 2;

/// The server cannot be reached.
const UNREACHABLE: u8 = 3;

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nobody answers there.
    #[error("Cannot reach {url}: {cause}")]
    Unreachable {
        /// Where.
        url: String,
        /// What happened instead.
        cause: String,
    },
    /// The server refuses, a line for each reason.
    #[error("{}", .reasons.join("\n"))]
    Refused {
        /// The status of its answer.
        status: u16,
        /// Why.
        reasons: Vec<String>,
    },
    /// There is nothing to decide by, or a file cannot be read or written.
    #[error("{0}")]
    Undecided(String),
}

impl Failure {
    /// What the process ends with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Unreachable { .. } => UNREACHABLE,
            Self::Refused { .. } | Self::Undecided(_) => NO_VERDICT,
        })
    }

    /// What the server says against a request: every fault of a list, or its one sentence.
    pub fn refused(status: u16, body: &[u8]) -> Self {
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        let faults = problem["errors"].as_array().map(Vec::as_slice);
        let mut reasons: Vec<String> = faults.unwrap_or_default().iter().map(fault).collect();
        if reasons.is_empty() {
            let sentence = problem["detail"].as_str();
            let sentence = sentence.unwrap_or("The server gives no reason. Is the address right?");
            reasons.push(format!("{status}: {sentence}"));
        }
        Self::Refused { status, reasons }
    }
}

fn fault(fault: &Value) -> String {
    let text = |member: &str| fault[member].as_str().unwrap_or_default();
    format!("{}: {}", text("field"), text("message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_line_of_its_own() {
        let body = br#"{"detail": "Two faults.", "errors": [
            {"field": "modelIds", "message": "too many"}, {"field": "datasetId", "message": "is empty"}]}"#;
        let failure = Failure::refused(422, body);
        assert_eq!(
            failure.to_string(),
            "modelIds: too many\ndatasetId: is empty"
        );
    }

    #[test]
    fn an_answer_without_a_list_is_told_with_its_status() {
        let failure = Failure::refused(401, br#"{"detail": "Unknown key."}"#);
        assert_eq!(failure.to_string(), "401: Unknown key.");
        let foreign = Failure::refused(502, b"<html>bad gateway</html>");
        assert!(foreign.to_string().starts_with("502: The server gives no"));
    }
}
