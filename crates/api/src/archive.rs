//! Everything that somebody may see as one archive, and back in: from such an archive, or from the
//! JSON that a browser kept.
//!
//! An archive is a ZIP with one file of JSON Lines per area and `manifest.json`, which names the
//! format and its version. Neither way holds the archive in memory: it is written to, and read
//! from, a file of its own on the local disk.

mod browser;
mod read;
mod values;
mod write;

use actix_web::{HttpRequest, HttpResponse, get, http::header::ContentDisposition, post, web};
use db::prompts::archive::{Outcome, Report, RowReport};
use deserr::Deserr;
use domain::{audit::Signature, auth::Viewer, prompts::PromptId};
use futures::StreamExt as _;
use serde::Serialize;
use tokio::{io::AsyncWriteExt as _, sync::Semaphore};
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    App,
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
/// lists as `prompts` and `workflows`. All of it or nothing: one fault, and nothing is stored.
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
    let (app, viewer, signature) = (context.shared(), context.who.clone(), context.signature());
    // Apart from the request: if it is dropped half way, what was begun still ends in order, with
    // copies forgotten that are no longer true, and nobody takes the next turn before.
    let done = actix_web::rt::spawn(async move {
        let _turn = TURN.acquire().await;
        take_in(&app, (viewer, signature), kind, file, only_try).await
    });
    let report = done.await.map_err(|cause| ApiError::internal(&cause))??;
    if !only_try && report.counts.faults > 0 {
        return Err(ApiError::faults(Code::Invalid, report.faults));
    }
    Ok(web::Json(report))
}

/// Reads an import and stores it, unless it has faults or is only tried.
async fn take_in(
    app: &App,
    (viewer, signature): (Viewer, Signature),
    kind: read::Kind,
    file: std::fs::File,
    only_try: bool,
) -> ApiResult<ImportReport> {
    let reader = viewer.clone();
    let parsed = web::block(move || read::read(kind, file, &reader))
        .await
        .map_err(|cause| ApiError::internal(&cause))??;
    // With faults in the reading already, the rest is tried for its own.
    let tried = only_try || parsed.fault_count > 0;
    let (mut faults, mut count) = (parsed.faults, parsed.fault_count);
    let mut connection = db::pool::signed(&app.pool, &signature).await?;
    let named = db::prompts::archive::ids(&parsed.import, &viewer);
    let done = db::prompts::archive::import(&mut connection, &viewer, parsed.import, tried).await;
    drop(connection);
    if !tried {
        forget(app, touched(&done).unwrap_or(named)).await;
    }
    let report = done?;
    count += report.faults.len();
    let found = report.faults.iter().map(|fault| FieldFault {
        field: format!("{}[{}]", fault.area, fault.index),
        message: fault.message.clone(),
    });
    faults.extend(found.take(FAULTS.saturating_sub(faults.len())));
    Ok(shown(report.rows, faults, count, parsed.ignored, only_try))
}

/// The prompts that an import has touched; nothing if it failed, since what a database did before
/// it fell silent is not known.
fn touched(done: &Result<Report, diesel::result::Error>) -> Option<Vec<PromptId>> {
    let rows = done.as_ref().ok()?.rows.iter();
    let prompts = rows.filter(|row| row.area == "prompts");
    Some(prompts.map(|row| PromptId(row.id)).collect())
}

fn shown(
    rows: Vec<RowReport>,
    faults: Vec<FieldFault>,
    fault_count: usize,
    ignored: Vec<String>,
    dry_run: bool,
) -> ImportReport {
    let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
    let counts = ImportCounts {
        created: count(Outcome::Created),
        updated: count(Outcome::Updated),
        unchanged: count(Outcome::Unchanged),
        faults: fault_count,
    };
    ImportReport {
        dry_run,
        counts,
        rows,
        faults,
        ignored,
    }
}

/// Drops the copies of prompts, some at a time.
async fn forget(app: &App, prompts: Vec<PromptId>) {
    let each = |id| Change::begin(app, id).settle();
    futures::stream::iter(prompts)
        .for_each_concurrent(32, each)
        .await;
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
