//! Taking a file in: it is spooled, looked at, and only then stored. Nothing is half-stored.

use std::time::Duration;

use actix_web::{HttpResponse, post};
use db::documents::NewDocument;
use domain::{
    audit::Actor,
    documents::{DocumentId, DocumentStatus, DocumentType},
    revision::Expected,
    users::Visibility,
};
use futures::TryStreamExt;
use integrations::storage::Storage;
use utoipa::ToSchema;

use super::{Document, created};
use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult, Code},
    form::{self, Form, Spooled},
};

/// The most bytes of a document.
pub const FILE_LIMIT: usize = 25 * 1024 * 1024;

/// The form of an upload.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form; its parts are read one by one"
)]
struct UploadForm {
    /// The file, at most 25 MiB: text, Markdown, HTML, PDF, DOCX, CSV or JSON.
    #[schema(format = Binary)]
    file: String,
    /// Who besides you may see it; `private` unless said otherwise.
    visibility: Option<Visibility>,
}

/// Uploads a document. The same bytes twice give the document that is there already, and another
/// try if it had failed.
#[utoipa::path(tag = "Documents",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = Document), (status = 200, body = Document)))]
#[post("/documents/upload")]
pub async fn upload(context: Context<Developer>, form: Form) -> ApiResult<HttpResponse> {
    let (spooled, visibility) = read_form(form).await?;
    let known = {
        let mut conn = context.db().await?;
        db::documents::find_by_content(&mut conn, context.who.user_id, spooled.sha256).await?
    };
    if let Some(document) = known {
        return again(&context, &spooled, document).await;
    }
    let content_type = sniff(&spooled).await?;
    let actor = context.actor();
    // Apart from the request: a caller who hangs up must not leave a file without a document.
    let stored = actix_web::rt::spawn(store(context, actor, spooled, content_type, visibility));
    stored.await.map_err(|cause| ApiError::internal(&cause))?
}

async fn store(
    context: Context<Developer>,
    actor: Actor,
    spooled: Spooled,
    content_type: DocumentType,
    visibility: Visibility,
) -> ApiResult<HttpResponse> {
    let id = DocumentId::new();
    let new = NewDocument {
        id,
        company_id: context.who.company_id,
        owner_id: context.who.user_id,
        visibility,
        file_name: spooled.name,
        content_type,
        size_bytes: i64::try_from(spooled.size).unwrap_or(i64::MAX),
        sha256: spooled.sha256,
        storage_key: format!("documents/{}/{id}", context.who.company_id),
    };
    let storage = &context.app().storage;
    storage.put(&new.storage_key, spooled.file.path()).await?;
    let created_now = async {
        Ok::<_, ApiError>(db::documents::create(&mut *context.db().await?, &new, &actor).await?)
    };
    match created_now.await {
        Ok((document, true)) => {
            context.app().wake.notify_one();
            Ok(created(&document, true))
        }
        Ok((document, false)) => {
            remove(storage, &new.storage_key).await;
            Ok(created(&document, false))
        }
        Err(cause) => {
            actix_web::rt::spawn(remove_unless_created(context, new));
            Err(cause)
        }
    }
}

/// Removes the file of a document whose creation failed, unless the document is there all the
/// same: when a connection breaks, its last commit may have counted.
async fn remove_unless_created(context: Context<Developer>, new: NewDocument) {
    for _ in 0..60 {
        actix_web::rt::time::sleep(Duration::from_secs(1)).await;
        let Ok(mut conn) = context.db().await else {
            continue;
        };
        match db::documents::find(&mut conn, &context.who, new.id).await {
            Ok(_) => return,
            Err(diesel::result::Error::NotFound) => {
                return remove(&context.app().storage, &new.storage_key).await;
            }
            Err(_) => {}
        }
    }
    tracing::warn!(
        key = new.storage_key,
        "a file without a document may have been left behind"
    );
}

async fn remove(storage: &Storage, key: &str) {
    if let Err(cause) = storage.remove(key).await {
        tracing::warn!(error = %cause, key, "a file without a document was left behind");
    }
}

/// The same bytes once more: what failed with them gets them anew and another try.
async fn again(
    context: &Context<Developer>,
    spooled: &Spooled,
    document: Document,
) -> ApiResult<HttpResponse> {
    if document.status != DocumentStatus::Failed {
        return Ok(created(&document, false));
    }
    let file = spooled.file.path();
    context
        .app()
        .storage
        .put(&document.storage_key, file)
        .await?;
    let mut conn = context.db().await?;
    let (who, actor) = (&context.who, context.actor());
    let document =
        db::documents::reprocess(&mut conn, who, document.id, &Expected::Any, &actor).await?;
    context.app().wake.notify_one();
    Ok(created(&document, false))
}

async fn sniff(spooled: &Spooled) -> ApiResult<DocumentType> {
    let (path, name) = (spooled.file.path().to_owned(), spooled.name.clone());
    tokio::task::spawn_blocking(move || integrations::extract::sniff(&path, &name))
        .await
        .map_err(|cause| ApiError::internal(&cause))?
        .map_err(|cause| ApiError::internal(&cause))?
        .ok_or_else(|| {
            ApiError::new(
                Code::UnsupportedType,
                "This is none of the types that are read: text, Markdown, HTML, PDF, DOCX, CSV, JSON.",
            )
        })
}

async fn read_form(mut form: Form) -> ApiResult<(Spooled, Visibility)> {
    let mut spooled = None;
    let mut visibility = Visibility::Private;
    while let Some(field) = form
        .0
        .try_next()
        .await
        .map_err(|cause| form::unreadable(&cause))?
    {
        match field.name().unwrap_or_default() {
            "file" if spooled.is_none() => spooled = Some(form::spool(field, FILE_LIMIT).await?),
            "file" => return Err(ApiError::invalid("file", "must be given once")),
            "visibility" => {
                let text = form::text(field).await?;
                visibility = text
                    .parse()
                    .map_err(|fault: domain::Fault| ApiError::invalid("visibility", fault.0))?;
            }
            // View state that a form sends along is none of our business.
            _ => drop(form::text(field).await?),
        }
    }
    let missing = || {
        ApiError::invalid(
            "file",
            "is required: send the document as the form's part `file`",
        )
    };
    Ok((spooled.ok_or_else(missing)?, visibility))
}
