//! Reading a request: bodies, queries and path values become domain values, or the answer names
//! every fault at once. Each extractor comes after [`crate::context::Context`] in a handler's
//! arguments, so that nobody learns anything of a body's faults before they are known.

use std::{future::Ready, ops::ControlFlow, pin::Pin, str::FromStr};

use actix_web::{
    FromRequest, HttpRequest,
    body::{BodyStream, to_bytes_limited},
    dev::{Decompress, Payload},
    http::header,
    web,
};
use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, MergeWithError, ValuePointerRef};

use crate::error::{ApiError, ApiResult, Code, FieldFault};

/// The most bytes of a JSON body.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// The same where pictures may be part of it, which are a third longer in Base64.
const PICTURES_LIMIT: usize = 16 * 1024 * 1024;

/// Where that is.
fn shows_pictures(path: &str) -> bool {
    let trials = [
        "/api/gemini/test-prompt",
        "/api/gemini/test",
        "/api/workflows/run-task",
    ];
    let executes = path.starts_with("/api/workflows/") && path.ends_with("/execute");
    trials.contains(&path) || executes
}

/// All faults found while reading a value.
#[derive(Debug, Default)]
pub struct Faults {
    list: Vec<FieldFault>,
    wrong_type: bool,
}

impl Faults {
    /// Rules that a value breaks although its parts are well-formed.
    pub fn broken_rules(list: Vec<FieldFault>) -> Self {
        Self {
            list,
            wrong_type: false,
        }
    }

    /// Each fault with its place.
    pub fn into_list(self) -> Vec<FieldFault> {
        self.list
    }

    /// The answer: a wrong type is malformed (`malformed`, 400), a broken rule is 422.
    fn into_error(self, malformed: Code) -> ApiError {
        let code = if self.wrong_type || malformed == Code::InvalidQuery {
            malformed
        } else {
            Code::Invalid
        };
        ApiError::faults(code, self.list)
    }
}

fn place(location: ValuePointerRef<'_>) -> String {
    match location {
        ValuePointerRef::Origin => String::new(),
        ValuePointerRef::Key { key, prev } => match place(*prev) {
            path if path.is_empty() => key.to_owned(),
            path => format!("{path}.{key}"),
        },
        ValuePointerRef::Index { index, prev } => format!("{}[{index}]", place(*prev)),
    }
}

fn kinds(accepted: &[deserr::ValueKind]) -> String {
    accepted
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" or ")
        .to_lowercase()
}

impl DeserializeError for Faults {
    fn error<V: IntoValue>(
        before: Option<Self>,
        fault: ErrorKind<'_, V>,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let mut faults = before.unwrap_or_default();
        let mut field = place(location);
        let message = match fault {
            ErrorKind::IncorrectValueKind { accepted, actual } => {
                faults.wrong_type |= actual.kind() != deserr::ValueKind::Null;
                format!("must be {}", kinds(accepted))
            }
            ErrorKind::MissingField { field: name } => {
                field = place(location.push_key(name));
                "is required".to_owned()
            }
            ErrorKind::UnknownKey { key, accepted } => {
                field = place(location.push_key(key));
                format!("is not known here; known are {}", accepted.join(", "))
            }
            ErrorKind::UnknownValue { accepted, .. } => {
                format!("must be one of {}", accepted.join(", "))
            }
            ErrorKind::BadSequenceLen { expected, .. } => format!("must have {expected} items"),
            ErrorKind::Unexpected { msg } => msg,
        };
        let field = if field.is_empty() {
            "body".to_owned()
        } else {
            field
        };
        faults.list.push(FieldFault { field, message });
        ControlFlow::Continue(faults)
    }
}

impl MergeWithError<Faults> for Faults {
    fn merge(before: Option<Self>, other: Self, _: ValuePointerRef<'_>) -> ControlFlow<Self, Self> {
        let mut faults = before.unwrap_or_default();
        faults.list.extend(other.list);
        faults.wrong_type |= other.wrong_type;
        ControlFlow::Continue(faults)
    }
}

/// A JSON body, read into `T`.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: Deserr<Faults> + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = read_all(request, payload);
        let json = is_json(request);
        Box::pin(async move {
            if !json {
                return Err(ApiError::new(
                    Code::UnsupportedType,
                    "Send the body as JSON, with `Content-Type: application/json`.",
                ));
            }
            let bytes = bytes.await?;
            read_json(&bytes).map(Self)
        })
    }
}

/// A JSON body that may be left out.
#[derive(Debug)]
pub struct OptionalBody<T>(pub Option<T>);

impl<T: Deserr<Faults> + 'static> FromRequest for OptionalBody<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let headers = request.headers();
        let length = headers
            .get(header::CONTENT_LENGTH)
            .map(header::HeaderValue::as_bytes);
        let is_empty =
            length.unwrap_or(b"0") == b"0" && !headers.contains_key(header::TRANSFER_ENCODING);
        if is_empty {
            return Box::pin(std::future::ready(Ok(Self(None))));
        }
        let body = Body::from_request(request, payload);
        Box::pin(async move { Ok(Self(Some(body.await?.0))) })
    }
}

/// The whole body, if it is not too large.
pub fn read_all(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = ApiResult<web::Bytes>> + 'static {
    let limit = if shows_pictures(request.path()) {
        PICTURES_LIMIT
    } else {
        BODY_LIMIT
    };
    let decoded = Decompress::from_headers(payload.take(), request.headers());
    async move {
        match to_bytes_limited(BodyStream::new(decoded), limit).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(_)) => {
                let detail = "The body broke off or is not encoded as its headers say.";
                Err(ApiError::new(Code::InvalidBody, detail))
            }
            Err(_) => {
                let detail = format!("A body has at most {limit} bytes here.");
                Err(ApiError::new(Code::TooLarge, detail))
            }
        }
    }
}

/// Whether the body is said to be JSON.
pub fn is_json(request: &HttpRequest) -> bool {
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| {
        let kind = text
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        kind == "application/json" || kind.ends_with("+json")
    })
}

fn read_json<T: Deserr<Faults>>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::new(
            Code::InvalidBody,
            "The body is empty. Send a JSON object.",
        ));
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|fault| {
        ApiError::new(
            Code::InvalidBody,
            format!("The body is not valid JSON: {fault}."),
        )
    })?;
    deserr::deserialize(value).map_err(|faults: Faults| faults.into_error(Code::InvalidBody))
}

/// The query, read into `T`, which denies unknown fields. Every parameter is a text.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: Deserr<Faults>> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(read_query(request.query_string()).map(Self))
    }
}

fn read_query<T: Deserr<Faults>>(query: &str) -> Result<T, ApiError> {
    let mut parameters = serde_json::Map::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        // Both spellings are in use; the camel-case one is documented.
        let name = if name == "updated_since" {
            "updatedSince".into()
        } else {
            name
        };
        if parameters
            .insert(name.to_string(), value.to_string().into())
            .is_some()
        {
            let fault = FieldFault {
                field: name.into(),
                message: "is given twice".into(),
            };
            return Err(ApiError::faults(Code::InvalidQuery, vec![fault]));
        }
    }
    deserr::deserialize(serde_json::Value::Object(parameters))
        .map_err(|faults: Faults| faults.into_error(Code::InvalidQuery))
}

/// A member of a body that changes a row: left out it stays, `null` takes its value away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Member<T> {
    /// Not sent.
    #[default]
    Absent,
    /// Sent as `null`.
    Null,
    /// Sent.
    Given(T),
}

impl<T> Member<T> {
    /// What is to be stored, for a member that may be missing from a row.
    #[expect(
        clippy::option_option,
        reason = "diesel's way to tell a member that stays from one that is taken away"
    )]
    pub fn or_remove(self) -> Option<Option<T>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(None),
            Self::Given(value) => Some(Some(value)),
        }
    }

    /// What is to be stored, for a member that is empty instead of missing.
    pub fn or_empty(self) -> Option<T>
    where
        T: Default,
    {
        match self {
            Self::Absent => None,
            Self::Null => Some(T::default()),
            Self::Given(value) => Some(value),
        }
    }
}

impl<T: Deserr<E>, E: DeserializeError> Deserr<E> for Member<T> {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        match value {
            deserr::Value::Null => Ok(Self::Null),
            value => T::deserialize_from_value(value, location).map(Self::Given),
        }
    }
}

/// Yes or no in a query: `true` or `false`.
#[derive(Debug, Clone, Copy)]
pub struct Switch(pub bool);

impl<E: DeserializeError> Deserr<E> for Switch {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        let text = String::deserialize_from_value(value, location)?;
        text.parse().map(Self).map_err(|_| {
            let msg = "must be true or false".to_owned();
            deserr::take_cf_content(E::error::<V>(None, ErrorKind::Unexpected { msg }, location))
        })
    }
}

/// The one variable part of a path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: FromStr<Err = domain::Fault>> FromRequest for Path<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(part(request, 0).map(Self))
    }
}

/// The two variable parts of a path.
#[derive(Debug)]
pub struct Paths<A, B>(pub A, pub B);

impl<A, B> FromRequest for Paths<A, B>
where
    A: FromStr<Err = domain::Fault>,
    B: FromStr<Err = domain::Fault>,
{
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parts = part(request, 0).and_then(|first| Ok(Self(first, part(request, 1)?)));
        std::future::ready(parts)
    }
}

fn part<T: FromStr<Err = domain::Fault>>(request: &HttpRequest, place: usize) -> ApiResult<T> {
    let (name, text) = request.match_info().iter().nth(place).unwrap_or_default();
    text.parse().map_err(|fault: domain::Fault| {
        let fault = FieldFault {
            field: name.to_owned(),
            message: fault.to_string(),
        };
        ApiError::faults(Code::InvalidPath, vec![fault])
    })
}
