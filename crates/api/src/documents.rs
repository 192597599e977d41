//! Documents: uploading, following, sharing and deleting them. What happens to them afterwards is
//! the workers' business.

mod upload;

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, patch, post, web};
use db::documents::{ChangeError, ChunkRow, Document, DocumentChanges, Filter};
use deserr::Deserr;
use domain::{
    documents::{DocumentId, DocumentStatus, FileName},
    page::{Limit, Moment},
    users::Visibility,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Developer},
    disposition,
    error::{ApiError, ApiResult, Code},
    etag,
    extract::{Body, Faults, Path, Query},
    page::Listing,
};
pub use upload::FILE_LIMIT;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(upload::upload)
        .service(list)
        .service(find)
        .service(update)
        .service(delete)
        .service(chunks)
        .service(content)
        .service(reprocess);
}

impl From<ChangeError> for ApiError {
    fn from(cause: ChangeError) -> Self {
        match cause {
            ChangeError::NotFound => Self::not_found("document"),
            ChangeError::Forbidden => Self::new(
                Code::Forbidden,
                "Only its owner or an admin may change this document.",
            ),
            ChangeError::Stale => Self::new(
                Code::Stale,
                "The document changed in the meantime. Read it again and repeat the change.",
            ),
            ChangeError::Database(cause) => cause.into(),
        }
    }
}

/// Which documents are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ListQuery {
    /// Only in this state.
    #[param(inline)]
    #[deserr(default)]
    status: Option<DocumentStatus>,
    /// Only what changed at or after this moment, in the order of the changes.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    updated_since: Option<Moment>,
    /// The most documents to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// Lists the documents you may see, newest first.
#[utoipa::path(tag = "Documents", params(ListQuery), responses((status = 200, body = [Document])))]
#[get("/documents")]
async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let filter = Filter {
        status: query.status,
        updated_since: query.updated_since.map(|moment| moment.0),
        after: listing.start(query.cursor.as_deref())?,
    };
    let page = db::documents::list(
        &mut *context.db().await?,
        &context.who,
        &filter,
        query.limit,
    )
    .await?;
    Ok(listing.answer(&page))
}

/// One document: how far it has come, and why it failed if it did.
#[utoipa::path(tag = "Documents", params(("id" = DocumentId, Path, description = "The document")), responses((status = 200, body = Document), (status = 304, description = "Unchanged")))]
#[get("/documents/{id}")]
async fn find(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<DocumentId>,
) -> ApiResult<HttpResponse> {
    let document = db::documents::find(&mut *context.db().await?, &context.who, id)
        .await
        .map_err(missing)?;
    Ok(etag::answer(&request, document.updated_at, &document))
}

fn missing(cause: diesel::result::Error) -> ApiError {
    match cause {
        diesel::result::Error::NotFound => ApiError::not_found("document"),
        other => other.into(),
    }
}

/// What may be changed of a document.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct UpdateBody {
    /// Another name.
    #[schema(value_type = Option<String>)]
    #[deserr(default)]
    file_name: Option<FileName>,
    /// Who besides you may see it.
    #[deserr(default)]
    visibility: Option<Visibility>,
}

/// Renames a document or changes who may see it.
#[utoipa::path(tag = "Documents", params(("id" = DocumentId, Path, description = "The document")), request_body = UpdateBody, responses((status = 200, body = Document)))]
#[patch("/documents/{id}")]
async fn update(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<DocumentId>,
    Body(body): Body<UpdateBody>,
) -> ApiResult<HttpResponse> {
    let changes = DocumentChanges {
        file_name: body.file_name,
        visibility: body.visibility,
    };
    let expected = etag::expected(&request)?;
    let document = db::documents::update(
        &mut *context.db().await?,
        &context.who,
        id,
        &changes,
        &expected,
    )
    .await?;
    Ok(HttpResponse::Ok()
        .insert_header(header::ETag(etag::of(document.updated_at)))
        .json(document))
}

/// Deletes a document, its passages and its file.
#[utoipa::path(tag = "Documents", params(("id" = DocumentId, Path, description = "The document")), responses((status = 204, description = "Deleted")))]
#[delete("/documents/{id}")]
async fn delete(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<DocumentId>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    db::documents::delete(&mut *context.db().await?, &context.who, id, &expected).await?;
    context.app().wake.notify_one();
    Ok(HttpResponse::NoContent().finish())
}

/// Which passages are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ChunksQuery {
    /// The most passages to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// The passages of a document, in their order.
#[utoipa::path(tag = "Documents", params(("id" = DocumentId, Path, description = "The document"), ChunksQuery), responses((status = 200, body = [ChunkRow])))]
#[get("/documents/{id}/chunks")]
async fn chunks(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<DocumentId>,
    Query(query): Query<ChunksQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let after = listing.start(query.cursor.as_deref())?;
    let page = db::documents::chunks(
        &mut *context.db().await?,
        &context.who,
        id,
        after,
        query.limit,
    )
    .await
    .map_err(missing)?;
    Ok(listing.answer(&page))
}

/// The file as it was uploaded, for saving: browsers never show it in place.
#[utoipa::path(
    tag = "Documents",
    params(("id" = DocumentId, Path, description = "The document")),
    responses((status = 200, description = "The bytes, as the type they are", content(
        (String = "text/plain"),
        (String = "text/markdown"),
        (String = "text/html"),
        (String = "application/pdf"),
        (String = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (String = "text/csv"),
        (serde_json::Value = "application/json"),
    )))
)]
#[get("/documents/{id}/content")]
async fn content(
    context: Context<Developer>,
    Path(id): Path<DocumentId>,
) -> ApiResult<HttpResponse> {
    let document = db::documents::find(&mut *context.db().await?, &context.who, id)
        .await
        .map_err(missing)?;
    let bytes = context.app().storage.read(&document.storage_key).await?;
    Ok(HttpResponse::Ok()
        .content_type(document.content_type.as_str())
        .insert_header(disposition::attachment(document.file_name.as_str()))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox"))
        .streaming(bytes))
}

/// Reads the file again, as after a change of the embedding model. The old passages stay until the
/// new ones are complete.
#[utoipa::path(tag = "Documents", params(("id" = DocumentId, Path, description = "The document")), responses((status = 202, body = Document)))]
#[post("/documents/{id}/reprocess")]
async fn reprocess(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<DocumentId>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let document = db::documents::reprocess(
        &mut *context.db().await?,
        &context.who,
        id,
        &expected,
        &context.actor(),
    )
    .await?;
    context.app().wake.notify_one();
    Ok(HttpResponse::Accepted()
        .insert_header(header::ETag(etag::of(document.updated_at)))
        .json(document))
}

impl From<integrations::storage::StorageError> for ApiError {
    fn from(cause: integrations::storage::StorageError) -> Self {
        match cause {
            integrations::storage::StorageError::Missing => Self::new(
                Code::NotFound,
                "The file is no longer in the storage. Delete the document and upload it again.",
            ),
            other => Self::unavailable("file storage", &other),
        }
    }
}

/// The answer to an upload holds either a new document or the one with the same bytes.
fn created(document: &Document, new: bool) -> HttpResponse {
    let mut answer = if new {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    answer
        .insert_header((header::LOCATION, format!("/api/documents/{}", document.id)))
        .insert_header(header::ETag(etag::of(document.updated_at)))
        .json(web::Json(document))
}
