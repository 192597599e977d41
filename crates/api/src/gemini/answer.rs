//! What a model answered, as it is shown: with what was used, and what it cost.

use std::time::Instant;

use chrono::{DateTime, Utc};
use domain::{
    models::Usd,
    providers::generate::{Citation, Finish, Reply, Usage},
};
use serde::Serialize;
use utoipa::ToSchema;

use tasks::Callee;

use crate::{App, error::ApiResult};

/// Tokens that were counted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsageView {
    /// All tokens of the input.
    tokens_in: u64,
    /// Those of them that came from the provider's cache.
    tokens_cached: u64,
    /// All tokens of the output, thinking included.
    tokens_out: u64,
    /// Those of them that were thoughts.
    tokens_thinking: u64,
    /// Whether any of this is our estimate.
    estimated: bool,
}

impl From<Usage> for UsageView {
    fn from(usage: Usage) -> Self {
        Self {
            tokens_in: usage.input,
            tokens_cached: usage.cached_input,
            tokens_out: usage.output,
            tokens_thinking: usage.thinking,
            estimated: usage.estimated,
        }
    }
}

/// A page that an answer names.
#[derive(Debug, Serialize, ToSchema)]
struct CitationView {
    title: String,
    url: String,
}

impl From<Citation> for CitationView {
    fn from(citation: Citation) -> Self {
        Self {
            title: citation.title,
            url: citation.url,
        }
    }
}

/// What a model answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestView {
    text: String,
    /// `stop`, `truncated` or `refused`.
    finish: &'static str,
    /// Why the provider withheld its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    /// Where a model that searched the web found what it says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    citations: Vec<CitationView>,
    /// Wishes of the request that this model does not take.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_applied: Vec<&'static str>,
    usage: UsageView,
    /// What it cost; `null` where no price is known.
    cost: Option<Usd>,
    /// Milliseconds from the call to the end of the answer.
    latency_ms: u64,
    /// The model that was asked, as `provider/name`.
    model: String,
    /// The model that answered, as the provider names it.
    model_version: String,
}

/// When a call was begun: by the clock, which prices go by, and by the watch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    at: DateTime<Utc>,
    watch: Instant,
}

impl Begun {
    pub(super) fn now() -> Self {
        Self {
            at: Utc::now(),
            watch: Instant::now(),
        }
    }
}

/// An answer with what it cost.
pub(super) async fn view(
    app: &App,
    callee: &Callee,
    begun: Begun,
    reply: Reply,
) -> ApiResult<TestView> {
    let latency_ms = u64::try_from(begun.watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    let cost = callee.cost(&app.pool, &reply, begun.at).await?;
    let (finish, refusal) = match reply.finish {
        Finish::Stop => ("stop", None),
        Finish::Truncated | Finish::Cut => ("truncated", None),
        Finish::Refused(reason) => ("refused", Some(reason)),
    };
    Ok(TestView {
        text: reply.text,
        finish,
        refusal,
        citations: reply.citations.into_iter().map(Into::into).collect(),
        not_applied: reply.not_applied,
        usage: reply.usage.into(),
        cost,
        latency_ms,
        model: callee.name(),
        model_version: reply.model_version,
    })
}
