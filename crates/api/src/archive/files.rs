//! The bytes that rows of an archive name. They are looked through before anything is stored: that
//! they are there, are those that their SHA-256 promises, are no larger than an upload may be, and
//! carry no malware where that is looked for. They are stored before the rows, each with a promise
//! that they are removed, which the rows take back.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use db::{documents::archive::ArchivedDocument, outputs::archive::ArchivedOutput};
use domain::{
    auth::Viewer,
    documents::{DocumentType, FileName, Sha256},
    jobs::JobId,
    outputs::{MOST_BYTES, OutputType},
};
use tempfile::NamedTempFile;
use uuid::Uuid;

use super::{
    format::{DOCUMENTS, OUTPUTS},
    found::{Found, too_large},
    unpack::Unpacked,
};
use crate::{
    App,
    documents::FILE_LIMIT,
    error::{ApiError, ApiResult, Code},
    outputs::scan,
};

/// How long the rows may keep their bytes waiting.
const PATIENCE: TimeDelta = TimeDelta::hours(6);

/// The row that needs bytes.
#[derive(Debug, Clone)]
enum Row {
    Document(ArchivedDocument),
    Output(ArchivedOutput),
}

/// A row and the bytes it needs.
#[derive(Debug, Clone)]
pub struct Needed {
    /// Its place.
    pub index: usize,
    /// Of its bytes.
    pub sha256: Sha256,
    size: i64,
    name: FileName,
    row: Row,
}

/// What is known of the bytes of a row.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// What a document is by its content.
    pub document_type: Option<DocumentType>,
    /// What an output is by its content.
    pub output_type: Option<OutputType>,
    /// The scanner that found nothing, and when.
    pub scan: Option<(String, DateTime<Utc>)>,
    /// Where they are stored, and the promise that they are removed.
    pub stored: Option<(String, JobId)>,
}

/// By area and id.
pub type AllKept = HashMap<(&'static str, Uuid), Kept>;

impl Needed {
    /// By a document.
    pub fn document(index: usize, row: &ArchivedDocument) -> Self {
        Self {
            index,
            sha256: row.sha256,
            size: row.size_bytes,
            name: row.file_name.clone(),
            row: Row::Document(row.clone()),
        }
    }

    /// By an output.
    pub fn output(index: usize, row: &ArchivedOutput) -> Self {
        Self {
            index,
            sha256: row.sha256,
            size: row.size_bytes,
            name: row.file_name.clone(),
            row: Row::Output(row.clone()),
        }
    }

    fn area(&self) -> &'static str {
        match self.row {
            Row::Document(_) => DOCUMENTS.head.area,
            Row::Output(_) => OUTPUTS.head.area,
        }
    }

    fn id(&self) -> Uuid {
        match &self.row {
            Row::Document(row) => row.id.0,
            Row::Output(row) => row.id.0,
        }
    }

    fn most(&self) -> usize {
        match self.row {
            Row::Document(_) => FILE_LIMIT,
            Row::Output(_) => MOST_BYTES,
        }
    }

    async fn is_here(&self, conn: &mut db::Connection, viewer: &Viewer) -> ApiResult<bool> {
        Ok(match &self.row {
            Row::Document(row) => db::documents::archive::is_here(conn, viewer, row).await?,
            Row::Output(row) => db::outputs::archive::is_here(conn, viewer, row).await?,
        })
    }
}

/// An archive that several steps read, one after another.
pub type Shared = Arc<Mutex<Unpacked>>;

/// Where the bytes of an import come from and go to.
pub struct Files<'a> {
    /// What there is.
    pub app: &'a App,
    /// Who imports.
    pub viewer: &'a Viewer,
    /// Where they are.
    pub archive: Shared,
}

impl Files<'_> {
    /// Looks through the bytes that are needed and not here; gives the rows that need them.
    pub async fn check(
        &self,
        needed: Vec<Needed>,
        most: u64,
        found: &mut Found,
    ) -> ApiResult<(Vec<Needed>, AllKept)> {
        let (mut new, mut kept, mut bytes) = (Vec::new(), AllKept::new(), 0);
        for needed in needed {
            if needed
                .is_here(&mut *self.app.pool.get().await?, self.viewer)
                .await?
            {
                continue;
            }
            bytes += u64::try_from(needed.size).unwrap_or_default();
            if bytes > most {
                return Err(too_large(&format!("{most} bytes of files when unpacked")));
            }
            match self.look_through(&needed).await? {
                Ok(known) => {
                    kept.insert((needed.area(), needed.id()), known);
                    new.push(needed);
                }
                Err(fault) => found.fault(needed.area(), needed.index, "", fault),
            }
        }
        Ok((new, kept))
    }

    async fn look_through(&self, needed: &Needed) -> ApiResult<Result<Kept, String>> {
        let file = match self.extract(needed).await? {
            Ok(file) => file,
            Err(fault) => return Ok(Err(fault)),
        };
        let size = file.as_file().metadata()?.len();
        if i64::try_from(size) != Ok(needed.size) {
            return Ok(Err(format!("must have {size} as sizeBytes")));
        }
        let mut kept = Kept::default();
        let document = sniff(file.path(), &needed.name).await?;
        match needed.row {
            Row::Document(_) if document.is_none() => {
                return Ok(Err("is none of the types that documents have".to_owned()));
            }
            Row::Document(_) => kept.document_type = document,
            Row::Output(_) => {
                let start = beginning(file.path())?;
                kept.output_type = Some(OutputType::of(document, &start));
                kept.scan = match scan::clear(self.app, file.path()).await {
                    Ok(scan) => scan,
                    Err(refusal) if is_of_content(refusal.code) => return Ok(Err(refusal.detail)),
                    Err(cause) => return Err(cause),
                };
            }
        }
        Ok(Ok(kept))
    }

    async fn extract(&self, needed: &Needed) -> ApiResult<Result<NamedTempFile, String>> {
        let (archive, sha256, most) = (self.archive.clone(), needed.sha256, needed.most());
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        let extracted = actix_web::web::block(move || {
            let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
            archive.extract(sha256, most)
        });
        extracted
            .await
            .map_err(|cause| ApiError::internal(&cause))?
    }

    /// Stores the bytes that were looked through.
    pub async fn store(&self, new: &[Needed], kept: &mut AllKept) -> ApiResult<()> {
        for needed in new {
            let Ok(file) = self.extract(needed).await? else {
                return Err(super::rows::broken_off());
            };
            let (company, sha256) = (self.viewer.company_id, needed.sha256);
            let key = format!("{}/{company}/{sha256}-{}", needed.area(), Uuid::now_v7());
            let promise = {
                let mut conn = self.app.pool.get().await?;
                db::outputs::promise_removal_after(&mut conn, self.viewer, &key, PATIENCE).await?
            };
            self.app.storage.put(&key, file.path()).await?;
            let known = kept.entry((needed.area(), needed.id())).or_default();
            known.stored = Some((key, promise));
        }
        Ok(())
    }
}

/// Removes what was stored for rows that are not. What cannot be removed now is removed as promised.
pub async fn forsake(app: &App, kept: &AllKept) {
    for (key, _) in kept.values().filter_map(|kept| kept.stored.as_ref()) {
        if let Err(cause) = app.storage.remove(key).await {
            tracing::warn!(error = %cause, key, "bytes of an import stay for some hours");
        }
    }
}

/// Whether a file is refused for what it is.
fn is_of_content(code: Code) -> bool {
    matches!(code, Code::OutputInfected | Code::TooLarge)
}

async fn sniff(file: &Path, name: &FileName) -> ApiResult<Option<DocumentType>> {
    let (path, name) = (file.to_owned(), name.clone());
    let sniffed = actix_web::web::block(move || integrations::extract::sniff(&path, &name)).await;
    Ok(sniffed.map_err(|cause| ApiError::internal(&cause))??)
}

fn beginning(file: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut start = Vec::new();
    std::fs::File::open(file)?
        .take(64)
        .read_to_end(&mut start)?;
    Ok(start)
}
