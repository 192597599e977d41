//! Templates: written by leads, read and tried by developers. What is wrong with one is looked for
//! before it is saved, and all of it is told.

mod preview;
mod shelf;

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, patch, post, web};
use db::templates::{
    ChangeError, Filter, NewTemplate, Template, TemplateSummary, TemplateVersion,
    TemplateVersionSummary,
};
use deserr::Deserr;
use domain::{
    page::{Limit, Moment},
    prompts::PromptQuery,
    revision::Expected,
    templates::{BodyMd, Linted, TemplateId, TemplateName, lint},
};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Developer, Lead},
    error::{ApiError, ApiResult, Code, FieldFault},
    etag,
    extract::{Body, Faults, Path, Paths, Query},
    page::Listing,
};
pub(crate) use preview::refused;
pub use shelf::Shelf;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(preview::lint_unsaved)
        .service(find)
        .service(update)
        .service(delete)
        .service(versions)
        .service(version)
        .service(preview::render);
}

impl From<ChangeError> for ApiError {
    fn from(cause: ChangeError) -> Self {
        match cause {
            ChangeError::NotFound => Self::not_found("template"),
            ChangeError::Stale => Self::new(
                Code::Stale,
                "The template changed in the meantime. Read it again and repeat the change.",
            ),
            ChangeError::NameTaken => Self::new(
                Code::Conflict,
                "Another template has this name. Take another one.",
            ),
            ChangeError::Database(cause) => cause.into(),
        }
    }
}

fn missing(cause: diesel::result::Error) -> ApiError {
    match cause {
        diesel::result::Error::NotFound => ApiError::not_found("template"),
        other => other.into(),
    }
}

/// Which templates are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct TemplatesQuery {
    /// Only with this in the name, whatever the case; 1 to 200 characters.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[deserr(default)]
    q: Option<PromptQuery>,
    /// Only what changed at or after this moment, in the order of the changes.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    updated_since: Option<Moment>,
    /// The most templates to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// Lists the templates of your company without what they say, newest change first.
#[utoipa::path(tag = "Templates", params(TemplatesQuery), responses((status = 200, body = [TemplateSummary])))]
#[get("/prompt-templates")]
async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Query(query): Query<TemplatesQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let filter = Filter {
        text: query.q.map(|text| text.as_str().to_owned()),
        updated_since: query.updated_since.map(|moment| moment.0),
        after: listing.start(query.cursor.as_deref())?,
    };
    let mut conn = context.db().await?;
    let page = db::templates::list(&mut conn, &context.who, &filter, query.limit).await?;
    Ok(listing.answer(&page))
}

/// A template to be created.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct NewTemplateBody {
    /// What it is called, 1 to 200 characters; no other template of the company is called so.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    name: TemplateName,
    /// What it says, 1 to 200 000 characters: Markdown with Handlebars.
    #[schema(value_type = String, min_length = 1, max_length = 200_000)]
    body_md: BodyMd,
    /// The JSON Schema of its variables; none are declared if it is left out.
    #[schema(value_type = Option<Object>)]
    #[deserr(default)]
    lint_json: Option<Value>,
}

/// Members of a template to be changed. What is left out stays as it is.
#[derive(Debug, Clone, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct TemplateChangesBody {
    /// What it is called, 1 to 200 characters.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[deserr(default)]
    name: Option<TemplateName>,
    /// What it says, 1 to 200 000 characters.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200_000)]
    #[deserr(default)]
    body_md: Option<BodyMd>,
    /// The JSON Schema of its variables.
    #[schema(value_type = Option<Object>)]
    #[deserr(default)]
    lint_json: Option<Value>,
}

/// What is found in a body, which may take a while to read.
async fn linted(body_md: &BodyMd, schema: &Value) -> ApiResult<Linted> {
    let (body_md, schema) = (body_md.clone(), schema.clone());
    let looked = web::block(move || lint(&body_md, &schema)).await;
    looked.map_err(|cause| ApiError::internal(&cause))
}

/// Refuses what has findings, with all of them.
async fn check(new: &NewTemplate) -> ApiResult<()> {
    let findings = linted(&new.body_md, &new.lint).await?.findings;
    if findings.is_empty() {
        return Ok(());
    }
    let faults = findings.iter().map(|finding| FieldFault {
        field: finding.member().to_owned(),
        message: finding.sentence(),
    });
    Err(ApiError::faults(Code::Invalid, faults.collect()))
}

/// Creates a template. It is refused with every finding: what does not compile, is not declared, or
/// is required and not used.
#[utoipa::path(tag = "Templates", request_body = NewTemplateBody, responses((status = 201, body = Template)))]
#[post("/prompt-templates")]
async fn create(
    context: Context<Lead>,
    Body(body): Body<NewTemplateBody>,
) -> ApiResult<HttpResponse> {
    let new = NewTemplate {
        name: body.name,
        body_md: body.body_md,
        lint: body.lint_json.unwrap_or_else(|| json!({})),
    };
    check(&new).await?;
    let template = db::templates::create(&mut *context.db().await?, &context.who, &new).await?;
    let place = format!("/api/prompt-templates/{}", template.summary.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, place))
        .insert_header(header::ETag(etag::of(template.summary.updated_at)))
        .json(template))
}

/// One template.
#[utoipa::path(tag = "Templates", params(("id" = TemplateId, Path, description = "The template")),
    responses((status = 200, body = Template), (status = 304, description = "Unchanged")))]
#[get("/prompt-templates/{id}")]
async fn find(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<TemplateId>,
) -> ApiResult<HttpResponse> {
    let template = db::templates::find(&mut *context.db().await?, &context.who, id).await;
    let template = template.map_err(missing)?;
    Ok(etag::answer(
        &request,
        template.summary.updated_at,
        &template,
    ))
}

/// Changes the members that are sent. Another text or schema makes a new version.
#[utoipa::path(tag = "Templates", params(("id" = TemplateId, Path, description = "The template")),
    request_body = TemplateChangesBody, responses((status = 200, body = Template)))]
#[patch("/prompt-templates/{id}")]
async fn update(
    context: Context<Lead>,
    request: HttpRequest,
    Path(id): Path<TemplateId>,
    Body(changes): Body<TemplateChangesBody>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let template = loop {
        match attempt(&context, id, &changes, &expected).await? {
            Err(ChangeError::Stale) if expected == Expected::Any => {}
            outcome => break outcome?,
        }
    };
    Ok(HttpResponse::Ok()
        .insert_header(header::ETag(etag::of(template.summary.updated_at)))
        .json(template))
}

/// Changes the template as it is now: what is looked at is what is changed, and nothing is locked
/// while it is looked at. Each attempt that comes too late is somebody else's success.
async fn attempt(
    context: &Context<Lead>,
    id: TemplateId,
    changes: &TemplateChangesBody,
    expected: &Expected,
) -> ApiResult<Result<Template, ChangeError>> {
    let seen = db::templates::find(&mut *context.db().await?, &context.who, id).await;
    let seen = seen.map_err(missing)?;
    if !expected.accepts(seen.summary.updated_at) {
        return Ok(Err(ChangeError::Stale));
    }
    let changes = changes.clone();
    let says = NewTemplate {
        name: changes.name.unwrap_or(seen.summary.name),
        body_md: changes.body_md.unwrap_or(seen.body_md),
        lint: changes.lint_json.unwrap_or(seen.lint),
    };
    check(&says).await?;
    let seen = Expected::OneOf(vec![seen.summary.updated_at]);
    let mut conn = context.db().await?;
    Ok(db::templates::update(&mut conn, &context.who, id, &says, &seen).await)
}

/// Deletes a template. What was made of it stays, and its name is free again.
#[utoipa::path(tag = "Templates", params(("id" = TemplateId, Path, description = "The template")),
    responses((status = 204, description = "Deleted")))]
#[delete("/prompt-templates/{id}")]
async fn delete(
    context: Context<Lead>,
    request: HttpRequest,
    Path(id): Path<TemplateId>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    db::templates::delete(&mut *context.db().await?, &context.who, id, &expected).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TemplateVersionsQuery {
    /// The most versions to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// The versions of a template without what they say, newest first.
#[utoipa::path(tag = "Templates",
    params(("id" = TemplateId, Path, description = "The template"), TemplateVersionsQuery),
    responses((status = 200, body = [TemplateVersionSummary])))]
#[get("/prompt-templates/{id}/versions")]
async fn versions(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<TemplateId>,
    Query(query): Query<TemplateVersionsQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let before = listing.start(query.cursor.as_deref())?;
    let (mut conn, limit) = (context.db().await?, query.limit);
    let page = db::templates::versions(&mut conn, &context.who, id, before, limit)
        .await
        .map_err(missing)?;
    Ok(listing.answer(&page))
}

/// The number of a version.
struct Number(i32);

impl std::str::FromStr for Number {
    type Err = domain::Fault;
    fn from_str(text: &str) -> Result<Self, domain::Fault> {
        let number = text.parse().ok().filter(|number| *number > 0);
        let fault = || domain::Fault("must be the number of a version, from 1".into());
        number.map(Self).ok_or_else(fault)
    }
}

/// One version, by its number.
#[utoipa::path(tag = "Templates",
    params(("id" = TemplateId, Path, description = "The template"),
        ("n" = i32, Path, minimum = 1, description = "The version's number, from 1")),
    responses((status = 200, body = TemplateVersion), (status = 304, description = "Unchanged")))]
#[get("/prompt-templates/{id}/versions/{n}")]
async fn version(
    context: Context<Developer>,
    request: HttpRequest,
    Paths(id, Number(number)): Paths<TemplateId, Number>,
) -> ApiResult<HttpResponse> {
    let mut conn = context.db().await?;
    let version = db::templates::version(&mut conn, &context.who, id, number).await;
    let version = version.map_err(missing)?;
    Ok(etag::answer(&request, version.summary.created_at, &version))
}
