//! Asking a model directly. The paths are named after the first provider; any model answers here.

use std::time::Instant;

use actix_web::{post, web::Json};
use chrono::Utc;
use db::models::{Model, ResolvedModel};
use deserr::Deserr;
use domain::{
    models::{ModelKind, ModelRef, Question, Usd, cost},
    providers::{
        ProviderError,
        generate::{Finish, Part, Reply, Request, Sampling, Speaker, Turn, Usage},
    },
    users::CompanyId,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Runner},
    error::{ApiError, ApiResult, Code},
    extract::{Body, Faults},
    providers,
};

/// What answers where neither a model is named nor the default has a key.
const MOCK: &str = "mock/text-1";

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(test_prompt).service(test);
}

/// A prompt to be tried.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct TestBody {
    /// The prompt with its variables filled in, 1 to 200 000 characters.
    prompt_text: Question,
    /// The model: its id, `provider/name` or name. Without one your company's default for text, or
    /// the mock while there is no key for that.
    #[deserr(default)]
    model: Option<ModelRef>,
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

/// What a model answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TestView {
    text: String,
    /// `stop`, `truncated` or `refused`.
    finish: &'static str,
    /// Why the provider withheld its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
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

/// Asks a model, waits for the whole answer, and says what it cost.
#[utoipa::path(tag = "Models", request_body = TestBody, responses((status = 200, body = TestView)))]
#[post("/gemini/test-prompt")]
async fn test_prompt(
    context: Context<Runner>,
    Body(body): Body<TestBody>,
) -> ApiResult<Json<TestView>> {
    ask(&context, body).await
}

/// The same as `/api/gemini/test-prompt`.
#[utoipa::path(tag = "Models", request_body = TestBody, responses((status = 200, body = TestView)))]
#[post("/gemini/test")]
async fn test(context: Context<Runner>, Body(body): Body<TestBody>) -> ApiResult<Json<TestView>> {
    ask(&context, body).await
}

async fn ask(context: &Context<Runner>, body: TestBody) -> ApiResult<Json<TestView>> {
    let company = context.who.company_id;
    let resolved = resolve(context, company, body.model.as_ref()).await?;
    let provider = providers::connect(context.app(), company, &resolved)?;
    let request = request(&resolved.model, &body.prompt_text);
    let (begun, at) = (Instant::now(), Utc::now());
    // No connection to Postgres is held while the model thinks.
    let reply = provider
        .generate(&request)
        .await
        .map_err(|cause| failed(&cause))?;
    let latency = begun.elapsed();
    let version = &reply.model_version;
    let mut conn = context.db().await?;
    let priced = db::models::prices_for(&mut conn, company, &resolved.model, version).await?;
    let cost = cost(&priced.prices.0, &reply.usage, at);
    let latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    Ok(Json(view(&resolved.model, reply, cost, latency_ms)))
}

async fn resolve(
    context: &Context<Runner>,
    company: CompanyId,
    wanted: Option<&ModelRef>,
) -> ApiResult<ResolvedModel> {
    let mut conn = context.db().await?;
    let none = || {
        ApiError::invalid(
            "model",
            "must name an active model; GET /api/models lists them",
        )
    };
    let found = if let Some(wanted) = wanted {
        db::models::resolve(&mut conn, company, wanted).await?
    } else {
        let default = db::models::default_of(&mut conn, company, ModelKind::Text).await?;
        let default = default.filter(|model| providers::is_reachable(context.app(), model));
        if default.is_none() {
            let mock = MOCK.parse().map_err(|_| none())?;
            db::models::resolve(&mut conn, company, &mock).await?
        } else {
            default
        }
    };
    let found = found.ok_or_else(none)?;
    if found.model.kind == ModelKind::Text {
        Ok(found)
    } else {
        Err(ApiError::invalid(
            "model",
            "must be a model that answers in text",
        ))
    }
}

fn request(model: &Model, prompt: &Question) -> Request {
    Request {
        model: model.model.as_str().to_owned(),
        capabilities: model.capabilities,
        turns: vec![Turn {
            speaker: Speaker::User,
            parts: vec![Part::Text(prompt.as_str().to_owned())],
        }],
        sampling: Sampling::default(),
        ..Request::default()
    }
}

fn view(model: &Model, reply: Reply, cost: Option<Usd>, latency_ms: u64) -> TestView {
    let (finish, refusal) = match reply.finish {
        Finish::Stop => ("stop", None),
        Finish::Truncated => ("truncated", None),
        Finish::Refused(reason) => ("refused", Some(reason)),
    };
    TestView {
        text: reply.text,
        finish,
        refusal,
        usage: reply.usage.into(),
        cost,
        latency_ms,
        model: format!("{}/{}", model.provider, model.name),
        model_version: reply.model_version,
    }
}

/// The answer when a provider does not give one.
fn failed(cause: &ProviderError) -> ApiError {
    tracing::warn!(error = %cause, error.class = cause.class(), "provider call failed");
    let code = match cause {
        ProviderError::RateLimited { .. } | ProviderError::QuotaSpent { .. } => {
            Code::TooManyRequests
        }
        ProviderError::Invalid(_) | ProviderError::TooLong(_) | ProviderError::Refused(_) => {
            Code::Invalid
        }
        _ => Code::ProviderFailed,
    };
    let mut answer = ApiError::new(code, format!("The model did not answer: {cause}."));
    if let ProviderError::RateLimited { retry_at: until } | ProviderError::QuotaSpent { until } =
        cause
    {
        let seconds = (*until - Utc::now()).num_seconds() + 1;
        answer.retry_after = Some(u64::try_from(seconds).unwrap_or(1));
    }
    answer
}
