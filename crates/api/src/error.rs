//! What a request is answered when it cannot be done: one table of codes, one shape
//! (`application/problem+json`, RFC 9457), one `From` per error of the layers below. The text says
//! what to do next; causes inside the server are logged, never sent.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use domain::requests::RequestStatus;
use serde::Serialize;
use utoipa::ToSchema;

use crate::telemetry;

/// A handler's answer.
pub type ApiResult<T> = Result<T, ApiError>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $title:literal;)+) => {
        /// Every code an answer may carry.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// All codes, for the documentation.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable name a program may rely on.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The HTTP status it is sent with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }

            /// What it means, in a few words that never change.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

codes! {
    /// The body is no JSON, is missing, or holds a value of the wrong type.
    InvalidBody = "invalid_body", 400, "The body cannot be read";
    /// A query parameter is unknown or wrong.
    InvalidQuery = "invalid_query", 400, "The query cannot be read";
    /// A part of the path is no id.
    InvalidPath = "invalid_path", 400, "The path cannot be read";
    /// A header is wrong.
    InvalidHeader = "invalid_header", 400, "A header cannot be read";
    /// Nobody is signed in.
    Unauthenticated = "unauthenticated", 401, "Sign in first";
    /// Address or password are wrong.
    BadCredentials = "bad_credentials", 401, "Address or password are wrong";
    /// The role does not allow it.
    Forbidden = "forbidden", 403, "Not allowed";
    /// Nothing is there, or nothing that the caller may see.
    NotFound = "not_found", 404, "Not found";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// It contradicts what is stored.
    Conflict = "conflict", 409, "Conflict";
    /// A run on the dataset is not over.
    DatasetInUse = "dataset_in_use", 409, "The dataset is in use";
    /// The key that the model would be called with is paused.
    ProviderKeyPaused = "provider_key_paused", 409, "The provider key is paused";
    /// A request may not be moved there by the caller, or not by this act.
    TransitionNotAllowed = "transition_not_allowed", 409, "No such step";
    /// The key was used for another request.
    IdempotencyMismatch = "idempotency_mismatch", 409, "Idempotency key used before";
    /// The row changed since it was read.
    Stale = "stale", 412, "Changed in the meantime";
    /// More bytes than are taken.
    TooLarge = "too_large", 413, "Too large";
    /// A type that is not taken.
    UnsupportedType = "unsupported_type", 415, "Type not supported";
    /// Well-formed, but it breaks a rule.
    Invalid = "invalid", 422, "Not valid";
    /// The malware scanner found something.
    OutputInfected = "output_infected", 422, "The output is infected";
    /// A task of a workflow brought no result.
    TaskFailed = "task_failed", 422, "The task failed";
    /// Too many requests.
    TooManyRequests = "too_many_requests", 429, "Too many requests";
    /// A fault of the server's own.
    Internal = "internal", 500, "Server error";
    /// A model answered, but not what was asked for, even when asked again.
    ModelOutputInvalid = "model_output_invalid", 502, "The model's answer cannot be used";
    /// A model provider failed.
    ProviderFailed = "provider_failed", 502, "The model provider failed";
    /// A tracker failed.
    TrackerFailed = "tracker_failed", 502, "The tracker failed";
    /// Something this depends on is down.
    Unavailable = "unavailable", 503, "Not available at the moment";
}

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// Where it is: the path of a member such as `tasks[2].name`, or the name of a parameter.
    pub field: String,
    /// What is accepted there.
    pub message: String,
}

/// An answer that says why not.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// Which of the known reasons.
    pub code: Code,
    /// What to do next.
    pub detail: String,
    /// Every fault, when there are several.
    pub errors: Vec<FieldFault>,
    /// Seconds after which it is worth trying again.
    pub retry_after: Option<u64>,
    /// The methods a path does have.
    pub allow: Option<String>,
    /// What only a few answers say besides; apart, since every result has room for an error.
    pub more: Option<Box<More>>,
}

/// What only a few answers say besides.
#[derive(Debug, Clone, Default)]
pub struct More {
    /// What a model wrote that cannot be used: for who asked it, and for nobody else.
    pub raw_output: Option<String>,
    /// Where a request may be moved instead, if that is what went wrong.
    pub allowed_transitions: Option<Vec<RequestStatus>>,
}

/// The body of an answer that says why not.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A URN that names the kind of problem; see `code`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do next.
    pub detail: String,
    /// A stable name for programs.
    pub code: String,
    /// The same text as `detail`.
    pub message: String,
    /// The request, for finding it in the logs.
    pub request_id: String,
    /// Every fault of the request at once.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<FieldFault>,
    /// What a model wrote that cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_output: Option<String>,
    /// Where you may move a request that could not be moved as you asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_transitions: Option<Vec<RequestStatus>>,
}

impl ApiError {
    /// This code with a sentence that says what to do.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            allow: None,
            more: None,
        }
    }

    /// The same, saying this besides.
    #[must_use]
    pub fn with(self, more: More) -> Self {
        Self {
            more: Some(Box::new(more)),
            ..self
        }
    }

    /// Nothing there that the caller may see.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            Code::NotFound,
            format!("There is no such {what}, or you may not see it."),
        )
    }

    /// Several faults at once, each with its place.
    pub fn faults(code: Code, errors: Vec<FieldFault>) -> Self {
        let detail = match errors.as_slice() {
            [fault] => format!("{}: {}.", fault.field, fault.message),
            faults => format!(
                "{} faults have to be corrected; see `errors`.",
                faults.len()
            ),
        };
        Self {
            errors,
            ..Self::new(code, detail)
        }
    }

    /// One rule broken at one place.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        let fault = FieldFault {
            field: field.into(),
            message: message.into(),
        };
        Self::faults(Code::Invalid, vec![fault])
    }

    /// The same, its members being part of another.
    #[must_use]
    pub fn within(mut self, member: &str) -> Self {
        for fault in &mut self.errors {
            fault.field = format!("{member}.{}", fault.field);
        }
        Self {
            detail: Self::faults(self.code, self.errors.clone()).detail,
            ..self
        }
    }

    /// A parameter of the query that is wrong.
    pub fn invalid_query(field: &str, message: impl Into<String>) -> Self {
        let fault = FieldFault {
            field: field.into(),
            message: message.into(),
        };
        Self::faults(Code::InvalidQuery, vec![fault])
    }

    /// A fault of the server's own: the cause goes to the log, the caller learns the request's id.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %cause, "request failed");
        Self::new(
            Code::Internal,
            "Something went wrong on the server. Try again; if it stays, report the requestId.",
        )
    }

    /// A dependency does not answer: the cause goes to the log.
    pub fn unavailable(what: &str, cause: &dyn std::fmt::Display) -> Self {
        tracing::warn!(error = %cause, dependency = what, "dependency unavailable");
        Self {
            retry_after: Some(2),
            ..Self::new(
                Code::Unavailable,
                format!("The {what} does not answer. Try again shortly."),
            )
        }
    }

    /// As it is sent.
    pub fn problem(&self) -> Problem {
        let more = self.more.as_deref().cloned().unwrap_or_default();
        Problem {
            kind: format!("urn:prompt-architect:problem:{}", self.code.as_str()),
            title: self.code.title().to_owned(),
            status: self.code.status(),
            detail: self.detail.clone(),
            code: self.code.as_str().to_owned(),
            message: self.detail.clone(),
            request_id: telemetry::request_id(),
            errors: self.errors.clone(),
            raw_output: more.raw_output,
            allowed_transitions: more.allowed_transitions,
        }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.retry_after {
            answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if let Some(methods) = &self.allow {
            answer.insert_header((header::ALLOW, methods.as_str()));
        }
        if self.code == Code::Unauthenticated {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        answer
            .content_type("application/problem+json")
            .body(serde_json::to_string(&self.problem()).unwrap_or_default())
    }
}

impl From<diesel::result::Error> for ApiError {
    fn from(cause: diesel::result::Error) -> Self {
        use diesel::result::{DatabaseErrorKind as Kind, Error};
        match &cause {
            Error::NotFound => Self::not_found("thing"),
            Error::DatabaseError(Kind::ClosedConnection | Kind::UnableToSendCommand, _)
            | Error::BrokenTransactionManager => Self::unavailable("database", &cause),
            Error::DatabaseError(Kind::SerializationFailure, _) => {
                Self::unavailable("database", &cause)
            }
            // Postgres ends connections with these sentences when it stops or cancels a statement.
            Error::DatabaseError(_, report)
                if report.message().contains("terminating connection")
                    || report.message().contains("canceling statement") =>
            {
                Self::unavailable("database", &cause)
            }
            _ => Self::internal(&cause),
        }
    }
}

impl From<db::users::CreateError> for ApiError {
    fn from(cause: db::users::CreateError) -> Self {
        use db::users::CreateError;
        match cause {
            CreateError::EmailTaken => Self::new(
                Code::Conflict,
                "Somebody has that address already. Sign in, or take another.",
            ),
            CreateError::Database(cause) => cause.into(),
        }
    }
}

impl From<db::pool::PoolError> for ApiError {
    fn from(cause: db::pool::PoolError) -> Self {
        Self::unavailable("database", &cause)
    }
}

impl From<queue::RedisError> for ApiError {
    fn from(cause: queue::RedisError) -> Self {
        Self::unavailable("Redis server", &cause)
    }
}
