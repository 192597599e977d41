//! Outputs: keeping what a model made of a version of a prompt, and giving it back as it was. Who
//! may see the prompt may see its outputs.

mod keep;
pub mod scan;
mod sent;

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header};
use db::outputs::{ChangeError, Filter, Output};
use deserr::Deserr;
use domain::{
    outputs::OutputId,
    page::{Limit, Moment},
    prompts::{PromptId, PromptVersionId},
};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Developer},
    disposition,
    error::{ApiError, ApiResult, Code},
    etag,
    extract::{Faults, Path, Query},
    page::Listing,
};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(keep::create)
        .service(list)
        .service(find)
        .service(content)
        .service(delete);
}

impl From<ChangeError> for ApiError {
    fn from(cause: ChangeError) -> Self {
        match cause {
            ChangeError::NotFound => Self::not_found("output"),
            ChangeError::Forbidden => Self::new(
                Code::Forbidden,
                "Only who kept this output, the owner of its prompt or an admin may delete it.",
            ),
            ChangeError::Stale => Self::new(
                Code::Stale,
                "The output changed in the meantime. Read it again and repeat the change.",
            ),
            ChangeError::Database(cause) => cause.into(),
        }
    }
}

fn missing(cause: diesel::result::Error) -> ApiError {
    match cause {
        diesel::result::Error::NotFound => ApiError::not_found("output"),
        other => other.into(),
    }
}

/// Which outputs are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ListQuery {
    /// Only of this version of a prompt.
    #[deserr(default)]
    prompt_version_id: Option<PromptVersionId>,
    /// Only of this prompt, whichever version.
    #[deserr(default)]
    prompt_id: Option<PromptId>,
    /// Only what was kept, or whose prompt got other readers, at or after this moment, in the order
    /// of these changes.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    updated_since: Option<Moment>,
    /// The most outputs to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// Lists the outputs of prompts you may see, newest first.
#[utoipa::path(tag = "Outputs", params(ListQuery), responses((status = 200, body = [Output])))]
#[get("/outputs")]
async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let filter = Filter {
        prompt: query.prompt_id,
        version: query.prompt_version_id,
        updated_since: query.updated_since.map(|moment| moment.0),
        after: listing.start(query.cursor.as_deref())?,
    };
    let mut connection = context.db().await?;
    let page = db::outputs::list(&mut connection, &context.who, &filter, query.limit).await?;
    Ok(listing.answer(&page))
}

/// One output: of what it was made, and how it was scanned.
#[utoipa::path(tag = "Outputs", params(("id" = OutputId, Path, description = "The output")),
    responses((status = 200, body = Output), (status = 304, description = "Unchanged")))]
#[get("/outputs/{id}")]
async fn find(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<OutputId>,
) -> ApiResult<HttpResponse> {
    let mut connection = context.db().await?;
    let output = db::outputs::find(&mut connection, &context.who, id)
        .await
        .map_err(missing)?;
    Ok(etag::answer(&request, output.updated_at, &output))
}

/// The bytes of an output, for saving: browsers never show them in place.
#[utoipa::path(
    tag = "Outputs",
    params(("id" = OutputId, Path, description = "The output")),
    responses((status = 200, description = "The bytes, as the type they are", content(
        (String = "text/plain"),
        (String = "text/markdown"),
        (String = "text/html"),
        (String = "application/pdf"),
        (String = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (String = "text/csv"),
        (serde_json::Value = "application/json"),
        (String = "image/png"),
        (String = "image/jpeg"),
        (String = "image/gif"),
        (String = "image/webp"),
        (String = "application/octet-stream"),
    )))
)]
#[get("/outputs/{id}/content")]
async fn content(context: Context<Developer>, Path(id): Path<OutputId>) -> ApiResult<HttpResponse> {
    let output = {
        let mut connection = context.db().await?;
        let found = db::outputs::find(&mut connection, &context.who, id).await;
        found.map_err(missing)?
    };
    let bytes = context.app().storage.read(&output.storage_key).await?;
    Ok(HttpResponse::Ok()
        .content_type(output.content_type.as_str())
        .insert_header(disposition::attachment(output.file_name.as_str()))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox"))
        .streaming(bytes))
}

/// Deletes an output with its bytes. Who kept it may, the owner of its prompt, and an admin.
#[utoipa::path(tag = "Outputs", params(("id" = OutputId, Path, description = "The output")),
    responses((status = 204, description = "Deleted")))]
#[delete("/outputs/{id}")]
async fn delete(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<OutputId>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let mut connection = context.db().await?;
    db::outputs::delete(&mut connection, &context.who, id, &expected).await?;
    context.app().wake.notify_one();
    Ok(HttpResponse::NoContent().finish())
}
