//! Everything that somebody may see as one archive, and back in: from such an archive, or from the
//! JSON that a browser kept.
//!
//! An archive is a ZIP with a file of JSON Lines per kind of row, the bytes that rows name, and
//! `manifest.json`, which names the format and its version; [`format`] lists what there is. Neither way
//! holds the archive in memory: it is written to, and read from, files of its own on the local disk.

mod browser;
mod files;
mod format;
mod found;
mod read;
mod report;
mod rows;
mod settings;
mod unpack;
mod values;
mod write;

use actix_web::{HttpRequest, HttpResponse, get, http::header::ContentDisposition, post, web};
use db::archive::Report;
use deserr::Deserr;
use domain::{
    audit::Signature, auth::Viewer, datasets::Limits as DatasetLimits, prompts::PromptId,
};
use futures::{StreamExt as _, channel::mpsc};
use tokio::{io::AsyncWriteExt as _, sync::Semaphore};
use tokio_util::io::ReaderStream;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::{
    App,
    context::{Context, Developer},
    error::{ApiError, ApiResult, Code},
    extract::{Faults, Query},
    prompts::Change,
};
use files::{AllKept, Files, Needed};
use read::{Read, Source};
use report::ImportReport;
pub use settings::ArchiveSettings;

/// One import at a time is read.
static TURN: Semaphore = Semaphore::const_new(1);

/// So many imports lie on the local disk.
static PLACES: Semaphore = Semaphore::const_new(4);

/// The most bytes of a browser's export.
const JSON_BYTES: u64 = 32 * 1024 * 1024;

/// How large things may be here.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The most bytes of the rows, and of the files, once unpacked.
    pub unpacked_bytes: u64,
    /// The most bytes of a row of a dataset as a line.
    pub row_bytes: u64,
    /// What holds for datasets.
    pub datasets: DatasetLimits,
}

impl Limits {
    fn of(app: &App) -> Self {
        let datasets = app.config.datasets.limits();
        // A byte may take six as JSON, and there is more in a line than values.
        let row_bytes = u64::try_from(datasets.row_bytes).unwrap_or(u64::MAX);
        Self {
            unpacked_bytes: app.config.archive.import_unpacked_bytes,
            row_bytes: row_bytes.saturating_mul(6).saturating_add(1 << 20),
            datasets,
        }
    }
}

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(export).service(import);
}

/// Everything you may see as one ZIP: prompts, templates, workflows and datasets with their versions,
/// requests with their past, documents and outputs with their bytes. Its manifest says what is left out.
#[utoipa::path(tag = "Archive", responses((status = 200, description = "The archive",
    content((String = "application/zip")))))]
#[get("/export")]
async fn export(context: Context<Developer>) -> ApiResult<HttpResponse> {
    let tables = write::rows(&mut *context.db().await?, &context.who).await?;
    let file = tables.zip(context.app().storage.clone()).await?;
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

/// Takes in an archive, or the JSON that a browser kept: a list of prompts, or an object that has
/// lists as `prompts`, `workflows` and `requests`. All of it or nothing: one fault, and nothing is
/// stored.
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
    let most = match kind {
        read::Kind::Zip => context.app().config.archive.import_bytes,
        read::Kind::Json => JSON_BYTES,
    };
    let place = PLACES.acquire().await;
    let file = spool(payload, most).await?;
    let importer = Importer {
        app: context.shared(),
        viewer: context.who.clone(),
        signature: context.signature(),
        only_try,
    };
    // Apart from the request: if it is dropped half way, what was begun still ends in order, with
    // copies forgotten that are no longer true, and nobody takes the next turn before.
    let done = actix_web::rt::spawn(async move {
        let (_place, _turn) = (place, TURN.acquire().await);
        importer.take_in(kind, file).await
    });
    let report = done.await.map_err(|cause| ApiError::internal(&cause))??;
    if !only_try && report.is_refused() {
        return Err(ApiError::faults(Code::Invalid, report.faults));
    }
    Ok(web::Json(report))
}

/// Somebody who imports.
struct Importer {
    app: web::Data<App>,
    viewer: Viewer,
    signature: Signature,
    only_try: bool,
}

impl Importer {
    /// Reads an import and stores it, unless it has faults or is only tried.
    async fn take_in(self, kind: read::Kind, file: std::fs::File) -> ApiResult<ImportReport> {
        let (reader, limits) = (self.viewer.clone(), Limits::of(&self.app));
        let most = limits.unpacked_bytes;
        let read = web::block(move || read::read(kind, file, &reader, &limits)).await;
        let mut read = read.map_err(|cause| ApiError::internal(&cause))??;
        let (new, mut kept) = self.look_through(&mut read, most).await?;
        // With faults in the reading already, the rest is tried for its own.
        let mut tried = self.only_try || read.found.fault_count > 0;
        if !tried && !new.is_empty() {
            // Bytes are stored for rows that can be taken in, and for no others.
            let trial = self.store(read.source.clone(), kept.clone(), true).await?;
            tried = !trial.faults.is_empty();
            if !tried && let Some(files) = self.files(&read.source) {
                files.store(&new, &mut kept).await?;
            }
        }
        let done = self.store(read.source, kept.clone(), tried).await;
        if !tried {
            forget(&self.app, self.touched(&done, &read.prompts)).await;
            self.app.wake.notify_one();
        }
        let report = done?;
        if !report.faults.is_empty() {
            files::forsake(&self.app, &kept).await;
        }
        Ok(report::shown(report, read.found, self.only_try))
    }

    fn files(&self, source: &Source) -> Option<Files<'_>> {
        match source {
            Source::Browser(_) => None,
            Source::Archive(archive) => Some(Files {
                app: &self.app,
                viewer: &self.viewer,
                archive: archive.clone(),
            }),
        }
    }

    /// Looks through the bytes that rows need and that are not here.
    async fn look_through(&self, read: &mut Read, most: u64) -> ApiResult<(Vec<Needed>, AllKept)> {
        let needed = std::mem::take(&mut read.needed);
        match self.files(&read.source) {
            None => Ok((Vec::new(), AllKept::new())),
            Some(files) => files.check(needed, most, &mut read.found).await,
        }
    }

    async fn store(&self, source: Source, kept: AllKept, tried: bool) -> ApiResult<Report> {
        let (to, from) = mpsc::channel(1);
        let (viewer, limits) = (self.viewer.clone(), Limits::of(&self.app));
        // Ends by itself when nobody listens any more.
        let reading = tokio::task::spawn_blocking(move || {
            read::send(source, &viewer, &limits, kept, to);
        });
        let mut connection = db::pool::signed(&self.app.pool, &self.signature).await?;
        let done = db::archive::import(&mut connection, &self.viewer, from, tried).await;
        drop(reading);
        Ok(done?)
    }

    /// The prompts that an import has touched; all that it may have touched if it failed, since what
    /// a database did before it fell silent is not known.
    fn touched(&self, done: &ApiResult<Report>, named: &[Uuid]) -> Vec<PromptId> {
        match done {
            Ok(report) => {
                let rows = report.rows.iter().filter(|row| row.area == "prompts");
                rows.map(|row| PromptId(row.id)).collect()
            }
            Err(_) => named
                .iter()
                .flat_map(|id| db::prompts::archive::here(PromptId(*id), &self.viewer))
                .collect(),
        }
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
async fn spool(mut payload: web::Payload, most: u64) -> ApiResult<std::fs::File> {
    let mut to = tokio::fs::File::from_std(tempfile::tempfile()?);
    let mut bytes = 0;
    while let Some(part) = payload.next().await {
        let part = part.map_err(|_| {
            ApiError::new(
                Code::InvalidBody,
                "The body broke off or is not encoded as its headers say.",
            )
        })?;
        bytes += part.len() as u64;
        if bytes > most {
            return Err(found::too_large(&format!("{most} bytes")));
        }
        to.write_all(&part).await?;
    }
    to.flush().await?;
    Ok(to.into_std().await)
}
