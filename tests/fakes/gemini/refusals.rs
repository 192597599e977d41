//! Refusals in the shape of `google.rpc.Status`.

use actix_web::{HttpResponse, http::StatusCode};
use serde_json::{Value, json};

use super::script::{Cue, Quota};

/// A call that is answered with an error.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    message: String,
    details: Vec<Value>,
    retry_header: Option<String>,
    array: bool,
}

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            details: Vec::new(),
            retry_header: None,
            array: false,
        }
    }

    /// The request is not what the interface takes.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(super) fn unknown_field(name: &str, path: &str) -> Self {
        let place = if path.is_empty() {
            String::new()
        } else {
            format!(" at '{path}'")
        };
        let message = format!(
            "Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field."
        );
        let violations = json!([{ "field": path, "description": message }]);
        let details = vec![detail(
            "BadRequest",
            &json!({ "fieldViolations": violations }),
        )];
        Self {
            details,
            ..Self::invalid(message)
        }
    }

    pub(super) fn without_key() -> Self {
        Self::new(
            403,
            "Method doesn't allow unregistered callers. Please use an API key to identify yourself.",
        )
    }

    pub(super) fn bad_key() -> Self {
        Self::from(&Cue::bad_key())
    }

    pub(super) fn no_model(model: &str, version: &str, method: &str) -> Self {
        let message = format!(
            "models/{model} is not found for API version {version}, or not supported for {method}."
        );
        Self::new(
            404,
            format!("{message} List the models to see which methods they support."),
        )
    }

    /// The same refusal as one element of an array.
    pub(super) fn wrapped(self) -> Self {
        Self {
            array: true,
            ..self
        }
    }

    pub(super) fn body(&self) -> Value {
        let mut error =
            json!({ "code": self.status, "message": self.message, "status": name(self.status) });
        if !self.details.is_empty() {
            error["details"] = json!(self.details);
        }
        let body = json!({ "error": error });
        if self.array { json!([body]) } else { body }
    }

    pub(super) fn response(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        if let Some(wait) = &self.retry_header {
            response.insert_header(("retry-after", wait.as_str()));
        }
        response.json(self.body())
    }
}

/// The refusal that a cue describes.
impl From<&Cue> for Refusal {
    fn from(cue: &Cue) -> Self {
        let status = cue.status.unwrap_or(500);
        Self {
            status,
            message: cue
                .message
                .clone()
                .unwrap_or_else(|| usual_words(cue, status)),
            details: details(cue, status),
            retry_header: cue.retry_header.clone(),
            array: cue.array,
        }
    }
}

fn usual_words(cue: &Cue, status: u16) -> String {
    match (status, cue.retry_seconds) {
        (400, _) if cue.reason.is_some() => {
            "API key not valid. Please pass a valid API key.".into()
        }
        (429, Some(seconds)) => {
            format!("You exceeded your current quota. Please retry in {seconds}s.")
        }
        (429, None) => "Resource has been exhausted (e.g. check quota).".into(),
        (402, _) => "Your prepaid credit is used up.".into(),
        (503, _) => "The model is overloaded. Please try again later.".into(),
        (504, _) => "The request timed out. Please try again.".into(),
        _ => "An internal error has occurred.".into(),
    }
}

/// The details in the order of the real ones: what was violated, help, when to come again.
fn details(cue: &Cue, status: u16) -> Vec<Value> {
    let mut details = Vec::new();
    if let Some(reason) = &cue.reason {
        details.push(detail(
            "ErrorInfo",
            &json!({ "reason": reason, "domain": "googleapis.com" }),
        ));
    }
    if let Some(quota) = cue.quota {
        details.push(detail(
            "QuotaFailure",
            &json!({ "violations": [violation(quota)] }),
        ));
    }
    if status == 429 {
        let link = json!({ "description": "Learn more about quotas", "url": "https://ai.google.dev/gemini-api/docs/rate-limits" });
        details.push(detail("Help", &json!({ "links": [link] })));
    }
    if let Some(seconds) = cue.retry_seconds {
        details.push(detail(
            "RetryInfo",
            &json!({ "retryDelay": format!("{seconds}s") }),
        ));
    }
    details
}

fn violation(quota: Quota) -> Value {
    let (span, limit) = match quota {
        Quota::PerMinute => ("PerMinute", "5"),
        Quota::PerDay => ("PerDay", "20"),
    };
    json!({
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": format!("GenerateRequests{span}PerProjectPerModel-FreeTier"),
        "quotaDimensions": { "location": "global" },
        "quotaValue": limit,
    })
}

fn detail(kind: &str, members: &Value) -> Value {
    let mut detail = members.clone();
    detail["@type"] = format!("type.googleapis.com/google.rpc.{kind}").into();
    detail
}

const fn name(status: u16) -> &'static str {
    match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        402 | 429 => "RESOURCE_EXHAUSTED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        499 => "CANCELLED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    }
}
