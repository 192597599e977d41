//! One row's revision as an `ETag`: readers skip what they have, writers change only what they saw.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, EntityTag, Header, IfMatch, IfNoneMatch},
};
use chrono::{DateTime, Utc};
use domain::revision::Expected;
use serde::Serialize;

use crate::error::{ApiError, ApiResult, Code};

/// The tag of a row that was last changed at this moment.
pub fn of(updated_at: DateTime<Utc>) -> EntityTag {
    EntityTag::new_strong(format!("{:x}", updated_at.timestamp_micros()))
}

/// The row with its tag, or 304 when the caller has this revision already.
pub fn answer<T: Serialize>(
    request: &HttpRequest,
    updated_at: DateTime<Utc>,
    row: &T,
) -> HttpResponse {
    let tag = of(updated_at);
    let known = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => request.headers().contains_key(header::IF_NONE_MATCH),
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
    if known {
        return HttpResponse::NotModified()
            .insert_header(header::ETag(tag))
            .finish();
    }
    HttpResponse::Ok()
        .insert_header(header::ETag(tag))
        .json(row)
}

/// The revisions that the caller is ready to change, from `If-Match`.
pub fn expected(request: &HttpRequest) -> ApiResult<Expected> {
    if !request.headers().contains_key(header::IF_MATCH) {
        return Ok(Expected::Any);
    }
    let wrong = |_| {
        ApiError::new(
            Code::InvalidHeader,
            "If-Match must hold the ETag of an earlier answer.",
        )
    };
    match IfMatch::parse(request).map_err(wrong)? {
        IfMatch::Any => Ok(Expected::Any),
        IfMatch::Items(tags) => Ok(Expected::OneOf(tags.iter().filter_map(revision).collect())),
    }
}

/// A tag that is none of ours names no revision.
fn revision(tag: &EntityTag) -> Option<DateTime<Utc>> {
    let micros = i64::from_str_radix(tag.tag(), 16).ok()?;
    (!tag.weak)
        .then(|| DateTime::from_timestamp_micros(micros))
        .flatten()
}
