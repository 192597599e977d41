//! Forms with a file: its bytes go piece by piece to a spool file on the local disk and are hashed
//! on the way.

use actix_multipart::{Field, Multipart};
use domain::documents::{FileName, Sha256};
use futures::TryStreamExt;
use sha2::Digest;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use crate::error::{ApiError, ApiResult, Code, FieldFault};

/// The most bytes of a form field that is no file.
const FIELD_LIMIT: usize = 1024;

/// A file that was taken in but not stored yet.
pub struct Spooled {
    /// Where it is, until this is dropped.
    pub file: NamedTempFile,
    /// What its sender called it.
    pub name: FileName,
    /// Its bytes.
    pub size: usize,
    /// Of its bytes.
    pub sha256: Sha256,
}

/// Takes a file in, if it has no more bytes than this.
pub async fn spool(field: Field, limit: usize) -> ApiResult<Spooled> {
    let name = field
        .content_disposition()
        .and_then(|part| part.get_filename())
        .unwrap_or("file");
    let name: FileName = name
        .parse()
        .map_err(|fault: domain::Fault| ApiError::invalid("file", fault.0))?;
    spool_as(field, name, limit).await
}

/// The same under this name, whatever its sender called it.
pub async fn spool_as(mut field: Field, name: FileName, limit: usize) -> ApiResult<Spooled> {
    let file = NamedTempFile::new().map_err(|cause| ApiError::internal(&cause))?;
    let mut target = tokio::fs::File::create(file.path())
        .await
        .map_err(|cause| ApiError::internal(&cause))?;
    let (mut size, mut digest) = (0, sha2::Sha256::new());
    while let Some(piece) = field.try_next().await.map_err(|cause| unreadable(&cause))? {
        size += piece.len();
        if size > limit {
            return Err(too_large(limit));
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

/// Reads past a file that is not wanted, if it has no more bytes than this.
pub async fn skip(mut field: Field, limit: usize) -> ApiResult<()> {
    let mut size = 0;
    while let Some(piece) = field.try_next().await.map_err(|cause| unreadable(&cause))? {
        size += piece.len();
        if size > limit {
            return Err(too_large(limit));
        }
    }
    Ok(())
}

fn too_large(limit: usize) -> ApiError {
    let detail = format!("A file has at most {limit} bytes. Split it.");
    ApiError::new(Code::TooLarge, detail)
}

/// A field that is no file.
pub async fn text(mut field: Field) -> ApiResult<String> {
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

/// The answer to a form that is none.
pub fn unreadable(cause: &dyn std::fmt::Display) -> ApiError {
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
pub struct Form(pub Multipart);

impl actix_web::FromRequest for Form {
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
                "Send a form (`multipart/form-data`) with the file as its part `file`.",
            ))
        })
    }
}
