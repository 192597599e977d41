//! Trying a prompt on a model: the whole answer at once, or as it is made.

use std::{collections::BTreeMap, time::Instant};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT, HeaderMap},
    post,
};
use chrono::{DateTime, Utc};
use deserr::Deserr;
use domain::{
    models::{ModelRef, Usd},
    prompts::{PromptText, SflText, placeholders},
    providers::generate::{Citation, Finish, Reply, Request, Sampling, Usage},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ask::Callee, events};
use crate::{
    App,
    context::{Context, Runner},
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{Body, Faults},
};

/// The most texts at which an answer may be told to end.
const STOPS: usize = 5;

/// A prompt to be tried.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase, validate = check -> Faults)]
#[schema(rename_all = "camelCase")]
pub struct TestBody {
    /// The prompt, 1 to 200 000 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200_000)]
    prompt_text: PromptText,
    /// Values for its placeholders. Sent at all, every placeholder needs one; not sent, the text goes
    /// as it is.
    #[deserr(default)]
    variables: Option<BTreeMap<String, String>>,
    /// The model: its id, `provider/name` or name. Without one your company's default for text, or
    /// the mock while there is no key for that.
    #[deserr(default)]
    model: Option<ModelRef>,
    /// Instructions that stand above the prompt.
    #[deserr(default)]
    #[schema(value_type = Option<String>)]
    system_instruction: Option<SflText>,
    /// 0 to 2. What a model does not take is left out and named in `notApplied`.
    #[deserr(default)]
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// Above 0, to 1.
    #[deserr(default)]
    #[schema(exclusive_minimum = 0, maximum = 1)]
    top_p: Option<f64>,
    /// 1 to 1000.
    #[deserr(default)]
    #[schema(minimum = 1, maximum = 1000)]
    top_k: Option<u32>,
    /// The most tokens of the answer, thinking included; 1 to 1 000 000.
    #[deserr(default)]
    #[schema(minimum = 1, maximum = 1_000_000)]
    max_output_tokens: Option<u32>,
    /// At most five texts at which the answer ends.
    #[deserr(default)]
    #[schema(max_items = 5)]
    stop_sequences: Vec<String>,
    /// For an answer that can be had again, where the provider keeps that promise.
    #[deserr(default)]
    seed: Option<i64>,
    /// Whether the model may search the web, if it can.
    #[deserr(default)]
    web_search: bool,
}

fn check(body: TestBody, _: deserr::ValuePointerRef<'_>) -> Result<TestBody, Faults> {
    let within = |value: Option<f64>, from: f64, to: f64| {
        value.is_none_or(|value| (from..=to).contains(&value))
    };
    let between = |value: Option<u32>, to: u32| value.is_none_or(|value| (1..=to).contains(&value));
    let stops = &body.stop_sequences;
    let rules = [
        (
            "temperature",
            within(body.temperature, 0.0, 2.0),
            "must be between 0 and 2",
        ),
        (
            "topP",
            within(body.top_p, f64::MIN_POSITIVE, 1.0),
            "must be above 0 and at most 1",
        ),
        (
            "topK",
            between(body.top_k, 1000),
            "must be between 1 and 1000",
        ),
        (
            "maxOutputTokens",
            between(body.max_output_tokens, 1_000_000),
            "must be between 1 and 1000000",
        ),
        (
            "stopSequences",
            stops.len() <= STOPS,
            "must have at most 5 items",
        ),
        (
            "stopSequences",
            stops.iter().all(|stop| (1..=200).contains(&stop.len())),
            "must have items of 1 to 200 bytes",
        ),
    ];
    let broken: Vec<FieldFault> = rules
        .into_iter()
        .filter(|(_, holds, _)| !holds)
        .map(|(field, _, message)| FieldFault {
            field: field.into(),
            message: message.into(),
        })
        .collect();
    if broken.is_empty() {
        Ok(body)
    } else {
        Err(Faults::broken_rules(broken))
    }
}

impl TestBody {
    /// The prompt with its values; every placeholder without one is a fault.
    fn text(&self) -> ApiResult<String> {
        let text = self.prompt_text.as_str();
        let Some(values) = &self.variables else {
            return Ok(text.to_owned());
        };
        let rendered = placeholders::render(text, values)
            .map_err(|fault| ApiError::invalid("variables", fault.to_string()))?;
        if rendered.missing.is_empty() {
            return Ok(rendered.text);
        }
        let missing = rendered.missing.iter().map(|name| FieldFault {
            field: format!("variables.{name}"),
            message: "is missing: the prompt has a placeholder of this name".into(),
        });
        Err(ApiError::faults(Code::Invalid, missing.collect()))
    }

    fn request(self, callee: &Callee) -> ApiResult<Request> {
        let asked = callee.request(&self.text()?);
        Ok(Request {
            system: self.system_instruction.map(|text| text.as_str().to_owned()),
            sampling: Sampling {
                temperature: self.temperature,
                top_p: self.top_p,
                top_k: self.top_k,
                max_output_tokens: self.max_output_tokens,
                stop: self.stop_sequences,
                seed: self.seed,
            },
            web_search: self.web_search,
            ..asked
        })
    }
}

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
    fn now() -> Self {
        Self {
            at: Utc::now(),
            watch: Instant::now(),
        }
    }
}

/// Asks a model, waits for the whole answer, and says what it cost. With `Accept: text/event-stream`
/// the answer comes as it is made: events `token` `{text}`, and at the end `done` with the whole, or
/// `error` with the problem.
#[utoipa::path(tag = "Models", request_body = TestBody, responses(
    (status = 200, content((TestView = "application/json"), (String = "text/event-stream")))))]
#[post("/gemini/test-prompt")]
pub async fn test_prompt(
    context: Context<Runner>,
    request: HttpRequest,
    Body(body): Body<TestBody>,
) -> ApiResult<HttpResponse> {
    answer(context, request.headers(), body).await
}

/// The same as `/api/gemini/test-prompt`.
#[utoipa::path(tag = "Models", request_body = TestBody, responses(
    (status = 200, content((TestView = "application/json"), (String = "text/event-stream")))))]
#[post("/gemini/test")]
pub async fn test(
    context: Context<Runner>,
    request: HttpRequest,
    Body(body): Body<TestBody>,
) -> ApiResult<HttpResponse> {
    answer(context, request.headers(), body).await
}

async fn answer(
    context: Context<Runner>,
    headers: &HeaderMap,
    body: TestBody,
) -> ApiResult<HttpResponse> {
    let callee = Callee::of(&context, body.model.as_ref()).await?;
    let request = body.request(&callee)?;
    let begun = Begun::now();
    if wants_stream(headers) {
        let made = callee.provider().stream(&request).await?;
        return Ok(events::response(context, callee, begun, made));
    }
    let reply = callee.provider().generate(&request).await?;
    Ok(HttpResponse::Ok().json(view(context.app(), &callee, begun, reply).await?))
}

fn wants_stream(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/event-stream"))
}

/// An answer with what it cost.
pub(super) async fn view(
    app: &App,
    callee: &Callee,
    begun: Begun,
    reply: Reply,
) -> ApiResult<TestView> {
    let latency_ms = u64::try_from(begun.watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    let cost = callee.cost(app, &reply, begun.at).await?;
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
