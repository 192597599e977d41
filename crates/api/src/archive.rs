//! Everything that somebody may see as one archive, and back in: from such an archive, or from the
//! JSON that a browser kept.
//!
//! An archive is a ZIP with one file of JSON Lines per area and `manifest.json`, which names the
//! format and its version. Neither way holds the archive in memory: it is written to, and read
//! from, a file of its own on the local disk.

mod read;
mod write;

use actix_web::{HttpRequest, HttpResponse, get, http::header::ContentDisposition, post, web};
use db::prompts::archive::{Outcome, Report, RowReport};
use deserr::Deserr;
use futures::StreamExt as _;
use serde::Serialize;
use tokio::{io::AsyncWriteExt as _, sync::Semaphore};
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{Faults, Query},
    prompts::Change,
};

/// One import at a time is read into memory.
static TURN: Semaphore = Semaphore::const_new(1);

/// What the manifest says that an archive is.
const FORMAT: &str = "prompt-architect";

/// The version of the format.
const FORMAT_VERSION: u32 = 1;

/// The file of prompts.
const PROMPTS: &str = "prompts.jsonl";

/// The file of their versions.
const VERSIONS: &str = "prompt_versions.jsonl";

/// The file of the moves of their labels.
const MOVES: &str = "prompt_label_moves.jsonl";

/// The file that says what the others are.
const MANIFEST: &str = "manifest.json";

/// The most bytes of an import as it is sent.
const SENT_BYTES: usize = 32 * 1024 * 1024;

/// The most faults that an answer lists.
const FAULTS: usize = 1000;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(export).service(import);
}

/// All prompts you may see, with their versions and labels, as one ZIP: a file of JSON Lines per
/// area, and a manifest.
#[utoipa::path(tag = "Archive", responses((status = 200, description = "The archive",
    content((String = "application/zip")))))]
#[get("/export")]
async fn export(context: Context<Developer>) -> ApiResult<HttpResponse> {
    let mut connection = context.db().await?;
    let file = write::all(&mut connection, &context.who).await?;
    drop(connection);
    let name = format!(
        "prompt-architect-{}.zip",
        chrono::Utc::now().format("%Y-%m-%d")
    );
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header(ContentDisposition::attachment(name))
        .streaming(ReaderStream::new(tokio::fs::File::from_std(file))))
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ImportQuery {
    /// `true`: says what would become of each row, and changes nothing.
    #[param(value_type = Option<bool>)]
    #[deserr(default)]
    dry_run: Option<Switch>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserr)]
#[deserr(rename_all = lowercase)]
enum Switch {
    True,
    False,
}

/// How many rows became what.
#[derive(Debug, Default, Serialize, ToSchema)]
struct ImportCounts {
    created: usize,
    updated: usize,
    unchanged: usize,
    faults: usize,
}

/// What became of an import, or would become of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImportReport {
    /// Whether it was only tried.
    dry_run: bool,
    /// How many rows became what.
    counts: ImportCounts,
    /// Row by row.
    rows: Vec<RowReport>,
    /// What stands in the way of an import; only when it was tried.
    faults: Vec<FieldFault>,
    /// What is in the import and not known here.
    ignored: Vec<String>,
}

/// Takes in an archive, or the JSON that a browser kept: a list of prompts, or an object that has
/// one as `prompts`. All of it or nothing: one fault, and nothing is stored.
#[utoipa::path(tag = "Archive", params(ImportQuery),
    request_body(content((serde_json::Value = "application/json"), (Vec<u8> = "application/zip"))),
    responses((status = 200, body = ImportReport)))]
#[post("/import")]
async fn import(
    context: Context<Developer>,
    request: HttpRequest,
    Query(query): Query<ImportQuery>,
    payload: web::Payload,
) -> ApiResult<web::Json<ImportReport>> {
    let only_try = query.dry_run == Some(Switch::True);
    let kind = read::Kind::of(&request)?;
    let file = spool(payload).await?;
    let viewer = context.who.clone();
    // JSON in memory is many times as large as in a file.
    let _turn = TURN
        .acquire()
        .await
        .map_err(|cause| ApiError::internal(&cause))?;
    let parsed = web::block(move || read::read(kind, file, &viewer))
        .await
        .map_err(|cause| ApiError::internal(&cause))??;
    let mut faults = parsed.faults;
    let mut connection = context.db().await?;
    // With faults in the reading already, the rest is tried for its own.
    let tried = only_try || !faults.is_empty();
    let report =
        db::prompts::archive::import(&mut connection, &context.who, parsed.import, tried).await?;
    drop(connection);
    faults.extend(report.faults.iter().map(|fault| FieldFault {
        field: format!("{}[{}]", fault.area, fault.index),
        message: fault.message.clone(),
    }));
    if !tried {
        forget(&context, &report).await;
    }
    if !only_try && !faults.is_empty() {
        faults.truncate(FAULTS);
        return Err(ApiError::faults(Code::Invalid, faults));
    }
    Ok(web::Json(shown(report, faults, parsed.ignored, only_try)))
}

fn shown(
    report: Report,
    mut faults: Vec<FieldFault>,
    ignored: Vec<String>,
    dry_run: bool,
) -> ImportReport {
    let count = |outcome| {
        report
            .rows
            .iter()
            .filter(|row| row.outcome == outcome)
            .count()
    };
    let counts = ImportCounts {
        created: count(Outcome::Created),
        updated: count(Outcome::Updated),
        unchanged: count(Outcome::Unchanged),
        faults: faults.len(),
    };
    faults.truncate(FAULTS);
    ImportReport {
        dry_run,
        counts,
        rows: report.rows,
        faults,
        ignored,
    }
}

/// Drops the copies of the prompts that an import has touched.
async fn forget(context: &Context<Developer>, report: &Report) {
    for row in report.rows.iter().filter(|row| row.area == "prompts") {
        Change::begin(context.app(), domain::prompts::PromptId(row.id))
            .settle()
            .await;
    }
}

/// The body as a file, if it is not too large.
async fn spool(mut payload: web::Payload) -> ApiResult<std::fs::File> {
    let failed = |cause: std::io::Error| ApiError::internal(&cause);
    let file = tempfile::tempfile().map_err(failed)?;
    let mut to = tokio::fs::File::from_std(file);
    let mut bytes = 0;
    while let Some(part) = payload.next().await {
        let part = part.map_err(|_| {
            ApiError::new(
                Code::InvalidBody,
                "The body broke off or is not encoded as its headers say.",
            )
        })?;
        bytes += part.len();
        if bytes > SENT_BYTES {
            let detail = format!("An import has at most {SENT_BYTES} bytes. Split it.");
            return Err(ApiError::new(Code::TooLarge, detail));
        }
        to.write_all(&part).await.map_err(failed)?;
    }
    to.flush().await.map_err(failed)?;
    Ok(to.into_std().await)
}
