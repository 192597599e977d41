//! Numbers of a company, for leads and admins: what was generated and run, by whom, and at what cost.

mod series;

use actix_web::{HttpResponse, get, http::header::ContentType, web::Bytes};
use chrono::{NaiveDate, Utc};
use db::stats::{Done, Share, Span};
use deserr::Deserr;
use domain::{
    models::Usd,
    page::Day,
    stats::{Dimension, Interval, Period},
    users::CompanyId,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::{
    context::{Context, Lead},
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{Faults, Query},
    joint::Joint,
};

/// How many people, templates or trackers are named.
const MOST_SHARES: i64 = 10;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(summary).service(series::series);
}

/// Which days are summed up.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SummaryQuery {
    /// The first day, in UTC; the thirtieth before the last one, if absent.
    #[param(value_type = Option<NaiveDate>)]
    #[deserr(default)]
    from: Option<Day>,
    /// The last day; today, if absent.
    #[param(value_type = Option<NaiveDate>)]
    #[deserr(default)]
    to: Option<Day>,
}

/// The days that were asked for.
fn period(from: Option<Day>, to: Option<Day>) -> ApiResult<Period> {
    let today = Utc::now().date_naive();
    let period = Period::new(from.map(|day| day.0), to.map(|day| day.0), today);
    period.map_err(|(field, fault)| unusable(field, fault))
}

/// A parameter of a query that cannot be used.
fn unusable(field: &str, fault: domain::Fault) -> ApiError {
    let fault = FieldFault {
        field: field.to_owned(),
        message: fault.0,
    };
    ApiError::faults(Code::InvalidQuery, vec![fault])
}

/// Sums over a stretch of time.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Sums {
    /// Prompts that were generated.
    prompts: i64,
    /// How many tokens they have, as GPT-3.5 counts.
    tokens: i64,
    /// Tokens of a prompt on average; 0 without any.
    avg_tokens: f64,
    /// Runs that were started.
    runs: i64,
    /// Cells of these runs.
    cells: i64,
    /// What these runs cost so far, in US dollars: the sum of their attempts.
    cost: Usd,
    /// Outputs that were kept.
    outputs: i64,
}

impl Sums {
    fn add(&mut self, done: Done) {
        self.prompts += done.generated.prompts;
        self.tokens += done.generated.tokens;
        self.runs += done.runs;
        self.cells += done.cells;
        self.cost += done.cost;
        self.outputs += done.outputs;
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "an average of counts far below 2^52"
    )]
    fn with_average(self) -> Self {
        let average = self.tokens as f64 / self.prompts.max(1) as f64;
        Self {
            avg_tokens: (average * 10.0).round() / 10.0,
            ..self
        }
    }
}

/// One person's, template's or tracker's part.
#[derive(Debug, Serialize, ToSchema)]
struct ShareView {
    /// Whose.
    id: Uuid,
    /// What they are called, or were when they were deleted.
    name: Option<String>,
    /// Prompts that were generated.
    prompts: i64,
    /// How many tokens they have.
    tokens: i64,
}

impl From<Share> for ShareView {
    fn from(share: Share) -> Self {
        Self {
            id: share.key,
            name: share.name,
            prompts: share.prompts,
            tokens: share.tokens,
        }
    }
}

/// A company in numbers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SummaryView {
    /// Prompts that were generated today, in UTC.
    prompts_today: i64,
    /// The first day that is summed up.
    from: NaiveDate,
    /// The last day.
    to: NaiveDate,
    #[serde(flatten)]
    sums: Sums,
    /// The same of as many days before.
    before: Sums,
    /// Who generated most.
    users: Vec<ShareView>,
    /// The templates of which most was generated.
    templates: Vec<ShareView>,
    /// The trackers for whose issues most was generated.
    trackers: Vec<ShareView>,
}

/// What was asked: whose numbers, of which days, and as which series.
pub type Question = (CompanyId, Period, Option<(Interval, Option<Dimension>)>);

/// Answers as JSON that are being made.
pub type Answers = Joint<Question, Bytes>;

/// The answer to this question, made once for all who wait for it.
async fn answered<T: Serialize>(
    context: &Context<Lead>,
    question: Question,
    make: impl AsyncFnOnce() -> ApiResult<T>,
) -> ApiResult<HttpResponse> {
    let written = async || {
        let json = serde_json::to_vec(&make().await?);
        json.map(Bytes::from)
            .map_err(|cause| ApiError::internal(&cause))
    };
    let json = context.app().stats.read(question, written).await?;
    Ok(HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(json))
}

/// Your company in numbers: what was generated and run on these days, and on as many before.
#[utoipa::path(tag = "Stats", params(SummaryQuery), responses((status = 200, body = SummaryView)))]
#[get("/stats/summary")]
async fn summary(
    context: Context<Lead>,
    Query(query): Query<SummaryQuery>,
) -> ApiResult<HttpResponse> {
    let period = period(query.from, query.to)?;
    let question = (context.who.company_id, period, None);
    answered(&context, question, async || {
        summed_up(&context, period).await
    })
    .await
}

async fn summed_up(context: &Context<Lead>, period: Period) -> ApiResult<SummaryView> {
    let today = Utc::now().date_naive();
    let today = Period::new(Some(today), Some(today), today)
        .map_err(|(field, fault)| unusable(field, fault))?;
    let (mut conn, company) = (context.db().await?, context.who.company_id);
    let mut shares = Vec::new();
    for by in [Dimension::User, Dimension::Template, Dimension::Tracker] {
        let span = Span::new(period, Interval::Month);
        let found = db::stats::shares(&mut conn, company, span, by, MOST_SHARES).await?;
        shares.push(found.into_iter().map(ShareView::from).collect::<Vec<_>>());
    }
    let mut shares = shares.into_iter();
    let mut next = || shares.next().unwrap_or_default();
    Ok(SummaryView {
        prompts_today: sums(&mut conn, company, today).await?.prompts,
        from: period.first(),
        to: period.last(),
        sums: sums(&mut conn, company, period).await?,
        before: sums(&mut conn, company, period.before()).await?,
        users: next(),
        templates: next(),
        trackers: next(),
    })
}

async fn sums(conn: &mut db::Connection, company: CompanyId, period: Period) -> ApiResult<Sums> {
    let mut sums = Sums::default();
    for month in db::stats::done(conn, company, Span::new(period, Interval::Month)).await? {
        sums.add(month);
    }
    Ok(sums.with_average())
}
