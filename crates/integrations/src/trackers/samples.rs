//! What the tests of all clients share.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::call::Answer;

pub(super) fn noon() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

pub(super) fn answer(status: u16, headers: &[(&'static str, &str)], body: &Value) -> Answer {
    let header = |(name, value): &(&'static str, &str)| {
        let value = HeaderValue::from_str(value).expect("a header");
        (HeaderName::from_static(name), value)
    };
    Answer {
        status,
        headers: headers.iter().map(header).collect::<HeaderMap>(),
        body: Bytes::from(
            body.as_str()
                .map_or_else(|| body.to_string(), str::to_owned),
        ),
        secrets: vec!["the-secret-token".into()],
    }
}
