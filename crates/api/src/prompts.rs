//! Prompts: writing, finding, sharing and deleting them. What they said at a time is in
//! [`versions`], which of that is released in [`labels`], the copies kept of them in [`shelf`].

mod body;
mod generate;
mod labels;
mod shelf;
mod versions;

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, patch, post, put, web};
use db::prompts::{ChangeError, Filter, Stored};
use deserr::Deserr;
use domain::{
    page::{Limit, Moment},
    prompts::{LabelName, PromptId, PromptKind, PromptQuery, SflText, Vocabulary},
    users::Visibility,
};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult, Code, FieldFault},
    etag,
    extract::{Body, Faults, Path, Query},
    page::Listing,
};
pub use body::PromptBody;
use body::PromptView;
pub use shelf::Change;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(vocabulary)
        .service(generate::generate)
        .service(find)
        .service(put)
        .service(update)
        .service(delete);
    versions::routes(config);
    labels::routes(config);
}

impl From<ChangeError> for ApiError {
    fn from(cause: ChangeError) -> Self {
        match cause {
            ChangeError::NotFound => Self::not_found("prompt"),
            ChangeError::Forbidden => Self::new(
                Code::Forbidden,
                "Only its owner or an admin may change this prompt.",
            ),
            ChangeError::Stale => Self::new(
                Code::Stale,
                "The prompt changed in the meantime. Read it again and repeat the change.",
            ),
            ChangeError::TooManyLabels => Self::invalid(
                "name",
                format!(
                    "is one too many: a prompt has at most {} labels",
                    db::prompts::labels::MAX_LABELS
                ),
            ),
            ChangeError::NoVersion => Self::not_found("version"),
            ChangeError::NoLabel => Self::not_found("label"),
            ChangeError::Incomplete(members) => {
                let missing = |member: &str| FieldFault {
                    field: member.to_owned(),
                    message: "is required".to_owned(),
                };
                Self::faults(Code::Invalid, members.into_iter().map(missing).collect())
            }
            ChangeError::Database(cause) => cause.into(),
        }
    }
}

fn missing(cause: diesel::result::Error) -> ApiError {
    match cause {
        diesel::result::Error::NotFound => ApiError::not_found("prompt"),
        other => other.into(),
    }
}

/// Whose prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserr, utoipa::ToSchema)]
#[deserr(rename_all = lowercase)]
#[schema(rename_all = "lowercase")]
enum OwnerFilter {
    /// One's own.
    Me,
}

/// Which prompts are listed. Values are compared as they are, but for `q` and `topic`.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ListQuery {
    /// Only with this in title, text, keywords or topic, whatever the case; 1 to 200 characters.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[deserr(default)]
    q: Option<PromptQuery>,
    /// Only with this in the topic, whatever the case; 1 to 200 characters.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[deserr(default)]
    topic: Option<PromptQuery>,
    /// Only of this task type.
    #[param(value_type = Option<String>)]
    #[deserr(default)]
    task_type: Option<SflText>,
    /// Only with this persona.
    #[param(value_type = Option<String>)]
    #[deserr(default)]
    ai_persona: Option<SflText>,
    /// Only for this audience, among others perhaps.
    #[param(value_type = Option<String>)]
    #[deserr(default)]
    target_audience: Option<SflText>,
    /// Only of this output format.
    #[param(value_type = Option<String>)]
    #[deserr(default)]
    output_format: Option<SflText>,
    /// Only of this kind.
    #[param(inline)]
    #[deserr(default)]
    kind: Option<PromptKind>,
    /// Only with this label on a version.
    #[param(value_type = Option<String>)]
    #[deserr(default)]
    label: Option<LabelName>,
    /// Only private ones, or only those the company shares.
    #[param(inline)]
    #[deserr(default)]
    visibility: Option<Visibility>,
    /// `me`: only your own.
    #[param(inline)]
    #[deserr(default)]
    owner: Option<OwnerFilter>,
    /// Only what changed at or after this moment, in the order of the changes.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    updated_since: Option<Moment>,
    /// The most prompts to answer, 1 to 1000; 1000 if absent.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[deserr(default)]
    limit: Option<Limit>,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// Lists the prompts you may see, newest change first.
#[utoipa::path(tag = "Prompts", params(ListQuery), responses((status = 200, body = [PromptView])))]
#[get("/prompts")]
async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let filter = Filter {
        topic: query.topic,
        text: query.q,
        task_type: query.task_type,
        ai_persona: query.ai_persona,
        target_audience: query.target_audience,
        output_format: query.output_format,
        kind: query.kind,
        label: query.label,
        visibility: query.visibility,
        own: query.owner.is_some(),
        updated_since: query.updated_since.map(|moment| moment.0),
        after: listing.start(query.cursor.as_deref())?,
    };
    let limit = query.limit.unwrap_or(Limit::MOST);
    let page = db::prompts::list(&mut *context.db().await?, &context.who, &filter, limit).await?;
    let rows: Vec<_> = page.rows.into_iter().map(PromptView::of).collect();
    Ok(listing.answer_with(page.next.as_ref(), &rows))
}

/// The values that prompts are described with: the well-known ones, and those in use.
#[utoipa::path(tag = "Prompts", responses((status = 200, body = Vocabulary)))]
#[get("/prompts/vocabulary")]
async fn vocabulary(context: Context<Developer>) -> ApiResult<web::Json<Vocabulary>> {
    let vocabulary = db::prompts::vocabulary(&mut *context.db().await?, &context.who).await?;
    Ok(web::Json(vocabulary))
}

/// Creates a prompt of yours. Members it does not know are ignored.
#[utoipa::path(tag = "Prompts", request_body = PromptBody, responses((status = 201, body = PromptView)))]
#[post("/prompts")]
async fn create(
    context: Context<Developer>,
    Body(body): Body<PromptBody>,
) -> ApiResult<HttpResponse> {
    let new = body.changes().into_new(&context.who, PromptId::new())?;
    let stored = db::prompts::create(&mut *context.db().await?, &new).await?;
    Ok(created(stored))
}

fn created(stored: Stored) -> HttpResponse {
    HttpResponse::Created()
        .insert_header((
            header::LOCATION,
            format!("/api/prompts/{}", stored.prompt.id),
        ))
        .insert_header(header::ETag(etag::of(stored.prompt.updated_at)))
        .json(PromptView::of(stored.prompt))
}

fn changed(stored: Stored) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(header::ETag(etag::of(stored.prompt.updated_at)))
        .json(PromptView::of(stored.prompt))
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FindQuery {
    /// The prompt as the version says that this label points at.
    #[param(value_type = Option<String>)]
    #[deserr(default)]
    label: Option<LabelName>,
}

/// One prompt: as it is worked on, or, by a label, as it was released.
#[utoipa::path(tag = "Prompts",
    params(("id" = PromptId, Path, description = "The prompt"), FindQuery),
    responses((status = 200, body = PromptView), (status = 304, description = "Unchanged")))]
#[get("/prompts/{id}")]
async fn find(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<PromptId>,
    Query(query): Query<FindQuery>,
) -> ApiResult<HttpResponse> {
    let copy = shelf::find(context.app(), id, query.label.as_ref()).await?;
    let copy = copy
        .filter(|copy| copy.stored.is_visible_to(&context.who))
        .ok_or_else(|| ApiError::not_found("prompt"))?;
    if query.label.is_some() && copy.version_id.is_none() {
        return Err(ApiError::not_found("label"));
    }
    let updated_at = copy.stored.prompt.updated_at;
    let view = PromptView::of_version(copy.stored.prompt, copy.version_id);
    Ok(etag::answer(&request, updated_at, &view))
}

/// Changes the members that are sent, or creates a prompt of yours with this id.
#[utoipa::path(tag = "Prompts", params(("id" = PromptId, Path, description = "The prompt")),
    request_body = PromptBody,
    responses((status = 200, body = PromptView), (status = 201, body = PromptView)))]
#[put("/prompts/{id}")]
async fn put(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<PromptId>,
    Body(body): Body<PromptBody>,
) -> ApiResult<HttpResponse> {
    let (expected, changes) = (etag::expected(&request)?, body.changes());
    let change = Change::begin(context.app(), id);
    let mut connection = context.db().await?;
    let (stored, is_new) =
        db::prompts::put(&mut connection, &context.who, id, &changes, &expected).await?;
    change.settle().await;
    Ok(if is_new {
        created(stored)
    } else {
        changed(stored)
    })
}

/// Changes the members that are sent.
#[utoipa::path(tag = "Prompts", params(("id" = PromptId, Path, description = "The prompt")),
    request_body = PromptBody, responses((status = 200, body = PromptView)))]
#[patch("/prompts/{id}")]
async fn update(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<PromptId>,
    Body(body): Body<PromptBody>,
) -> ApiResult<HttpResponse> {
    let (expected, changes) = (etag::expected(&request)?, body.changes());
    let change = Change::begin(context.app(), id);
    let mut connection = context.db().await?;
    let stored =
        db::prompts::update(&mut connection, &context.who, id, &changes, &expected).await?;
    change.settle().await;
    Ok(changed(stored))
}

/// Deletes a prompt with its versions, labels and outputs.
#[utoipa::path(tag = "Prompts", params(("id" = PromptId, Path, description = "The prompt")),
    responses((status = 204, description = "Deleted")))]
#[delete("/prompts/{id}")]
async fn delete(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<PromptId>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let change = Change::begin(context.app(), id);
    db::prompts::delete(&mut *context.db().await?, &context.who, id, &expected).await?;
    change.settle().await;
    context.app().wake.notify_one();
    Ok(HttpResponse::NoContent().finish())
}
