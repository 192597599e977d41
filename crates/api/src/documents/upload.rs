//! Taking a file in: its bytes go piece by piece to a spool file on the local disk, are hashed on
//! the way, looked at, and only then stored. Nothing is half-stored.

use std::time::Duration;

use actix_multipart::{Field, Multipart};
use actix_web::{HttpResponse, post};
use db::documents::NewDocument;
use domain::{
    audit::Actor,
    documents::{DocumentId, DocumentStatus, DocumentType, FileName, Sha256},
    revision::Expected,
    users::Visibility,
};
use futures::TryStreamExt;
use integrations::storage::Storage;
use sha2::Digest;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use utoipa::ToSchema;

use super::{Document, created};
use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult, Code, FieldFault},
};

/// The most bytes of a document.
pub const FILE_LIMIT: usize = 25 * 1024 * 1024;

/// The most bytes of a form field that is no file.
const FIELD_LIMIT: usize = 1024;

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

/// A file that was taken in but not stored yet.
struct Spooled {
    file: NamedTempFile,
    name: FileName,
    size: usize,
    sha256: Sha256,
}

/// Uploads a document. The same bytes twice give the document that is there already, and another
/// try if it had failed.
#[utoipa::path(tag = "Documents",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = Document), (status = 200, body = Document)))]
#[post("/documents/upload")]
pub async fn upload(context: Context<Developer>, form: FormData) -> ApiResult<HttpResponse> {
    let (spooled, visibility) = read_form(form.0).await?;
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

async fn read_form(mut form: Multipart) -> ApiResult<(Spooled, Visibility)> {
    let mut spooled = None;
    let mut visibility = Visibility::Private;
    while let Some(field) = form.try_next().await.map_err(|cause| unreadable(&cause))? {
        match field.name().unwrap_or_default() {
            "file" if spooled.is_none() => spooled = Some(spool(field).await?),
            "file" => return Err(ApiError::invalid("file", "must be given once")),
            "visibility" => {
                let text = text(field).await?;
                visibility = text
                    .parse()
                    .map_err(|fault: domain::Fault| ApiError::invalid("visibility", fault.0))?;
            }
            // View state that a form sends along is none of our business.
            _ => drop(text(field).await?),
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

async fn spool(mut field: Field) -> ApiResult<Spooled> {
    let name = field
        .content_disposition()
        .and_then(|part| part.get_filename())
        .unwrap_or("document");
    let name: FileName = name
        .parse()
        .map_err(|fault: domain::Fault| ApiError::invalid("file", fault.0))?;
    let file = NamedTempFile::new().map_err(|cause| ApiError::internal(&cause))?;
    let mut target = tokio::fs::File::create(file.path())
        .await
        .map_err(|cause| ApiError::internal(&cause))?;
    let (mut size, mut digest) = (0, sha2::Sha256::new());
    while let Some(piece) = field.try_next().await.map_err(|cause| unreadable(&cause))? {
        size += piece.len();
        if size > FILE_LIMIT {
            let detail = format!("A document has at most {FILE_LIMIT} bytes. Split the file.");
            return Err(ApiError::new(Code::TooLarge, detail));
        }
        digest.update(&piece);
        target
            .write_all(&piece)
            .await
            .map_err(|cause| ApiError::internal(&cause))?;
    }
    target
        .flush()
        .await
        .map_err(|cause| ApiError::internal(&cause))?;
    Ok(Spooled {
        file,
        name,
        size,
        sha256: Sha256(digest.finalize().into()),
    })
}

async fn text(mut field: Field) -> ApiResult<String> {
    let name = field.name().unwrap_or_default().to_owned();
    let mut bytes = Vec::new();
    while let Some(piece) = field.try_next().await.map_err(|cause| unreadable(&cause))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > FIELD_LIMIT {
            return Err(ApiError::invalid(
                &name,
                format!("must have at most {FIELD_LIMIT} bytes"),
            ));
        }
    }
    String::from_utf8(bytes).map_err(|_| ApiError::invalid(&name, "must be UTF-8"))
}

fn unreadable(cause: &dyn std::fmt::Display) -> ApiError {
    let message = format!("cannot be read as multipart/form-data: {cause}");
    ApiError::faults(
        Code::InvalidBody,
        vec![FieldFault {
            field: "body".into(),
            message,
        }],
    )
}

/// A multipart form, or the answer that one is needed.
pub struct FormData(Multipart);

impl actix_web::FromRequest for FormData {
    type Error = ApiError;
    type Future = std::future::Ready<ApiResult<Self>>;

    fn from_request(
        request: &actix_web::HttpRequest,
        payload: &mut actix_web::dev::Payload,
    ) -> Self::Future {
        let content_type = request.headers().get(actix_web::http::header::CONTENT_TYPE);
        let is_form = content_type
            .and_then(|value| value.to_str().ok())
            .is_some_and(|text| text.to_ascii_lowercase().starts_with("multipart/form-data"));
        std::future::ready(if is_form {
            Ok(Self(Multipart::new(request.headers(), payload.take())))
        } else {
            Err(ApiError::new(
                Code::UnsupportedType,
                "Send a form (`multipart/form-data`) with the document as its part `file`.",
            ))
        })
    }
}
