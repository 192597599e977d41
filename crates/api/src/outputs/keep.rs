//! Keeping an output: it is spooled, scanned, and only then stored. Nothing of a refused one stays.

use std::path::PathBuf;

use actix_web::{HttpResponse, http::header, post};
use db::outputs::{NewOutput, Output};
use domain::{
    documents::{FileName, Sha256},
    outputs::{OutputId, OutputType},
};
use integrations::storage::Storage;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    scan,
    sent::{self, OutputForm, Sent},
};
use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult},
    form::{Form, Spooled},
};

/// A kept output.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Kept {
    /// Its id.
    output_id: OutputId,
    /// The SHA-256 of its bytes, hexadecimal.
    #[schema(value_type = String)]
    sha256: Sha256,
    /// Whether it had been kept before.
    duplicate: bool,
}

/// Keeps an output of a version of a prompt. The same bytes for the same version give the output
/// that is there already. It is scanned for malware first.
#[utoipa::path(tag = "Outputs",
    request_body(content = OutputForm, content_type = "multipart/form-data"),
    responses((status = 201, body = Kept), (status = 200, body = Kept)))]
#[post("/outputs")]
pub async fn create(context: Context<Developer>, form: Form) -> ApiResult<HttpResponse> {
    scan::check_configured(context.app())?;
    let sent = sent::read(form).await?;
    let same = {
        let mut connection = context.db().await?;
        let (version, sha256) = (sent.version, sent.spooled.sha256);
        let same = db::outputs::find_same(&mut connection, &context.who, version, sha256).await;
        same.map_err(no_version)?
    };
    // What was kept while nobody scanned is no reason to let the same pass now.
    let is_scanning = context.app().scanner.is_some();
    if let Some(output) = same.filter(|output| output.scanner.is_some() || !is_scanning) {
        return Ok(answer(&output, false));
    }
    // Apart from the request: a caller who hangs up must not leave a file without an output.
    let stored = actix_web::rt::spawn(store(context, sent));
    stored.await.map_err(|cause| ApiError::internal(&cause))?
}

fn no_version(cause: diesel::result::Error) -> ApiError {
    let message = "must name a version of a prompt that you can see";
    match cause {
        diesel::result::Error::NotFound => ApiError::invalid("promptVersionId", message),
        other => other.into(),
    }
}

async fn store(context: Context<Developer>, sent: Sent) -> ApiResult<HttpResponse> {
    let Sent {
        version,
        spooled,
        is_text,
    } = sent;
    let scan = scan::clear(context.app(), spooled.file.path()).await?;
    let (id, company) = (OutputId::new(), context.who.company_id);
    let content_type = sniff(&spooled).await?;
    let new = NewOutput {
        id,
        prompt_version_id: version,
        content_type,
        file_name: if is_text {
            known(content_type.text_name())?
        } else {
            spooled.name
        },
        size_bytes: i64::try_from(spooled.size).unwrap_or(i64::MAX),
        sha256: spooled.sha256,
        storage_key: format!("outputs/{company}/{}-{id}", spooled.sha256),
        scan,
    };
    let (who, storage) = (&context.who, &context.app().storage);
    let promise = {
        let mut connection = context.db().await?;
        db::outputs::promise_removal(&mut connection, who, &new.storage_key).await?
    };
    storage.put(&new.storage_key, spooled.file.path()).await?;
    let mut connection = context.db().await?;
    let created = db::outputs::create(&mut connection, who, &new, promise).await;
    drop(connection);
    let (output, is_new) = created.map_err(no_version)?;
    if !is_new {
        remove(storage, &new.storage_key).await;
    }
    Ok(answer(&output, is_new))
}

/// A name of ours.
pub fn known(name: &'static str) -> ApiResult<FileName> {
    let parsed = name.parse();
    parsed.map_err(|fault: domain::Fault| ApiError::internal(&fault))
}

async fn remove(storage: &Storage, key: &str) {
    if let Err(cause) = storage.remove(key).await {
        tracing::warn!(error = %cause, key, "a file without an output stays for an hour");
    }
}

/// The answer holds either a new output or the one with the same bytes.
fn answer(output: &Output, is_new: bool) -> HttpResponse {
    let mut answer = if is_new {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    answer
        .insert_header((header::LOCATION, format!("/api/outputs/{}", output.id)))
        .json(Kept {
            output_id: output.id,
            sha256: output.sha256,
            duplicate: !is_new,
        })
}

async fn sniff(spooled: &Spooled) -> ApiResult<OutputType> {
    let (path, name) = (spooled.file.path().to_owned(), spooled.name.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let document = integrations::extract::sniff(&path, &name)?;
        Ok::<_, std::io::Error>(OutputType::of(document, &start(path)?))
    });
    looked
        .await
        .map_err(|cause| ApiError::internal(&cause))?
        .map_err(|cause| ApiError::internal(&cause))
}

fn start(path: PathBuf) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut start = Vec::new();
    std::fs::File::open(path)?
        .take(64)
        .read_to_end(&mut start)?;
    Ok(start)
}
