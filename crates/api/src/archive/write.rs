//! Writing an archive: rows come in batches from one moment of the database, and go to a file per
//! area, of which a ZIP is made at the end.

use std::{
    fs::File,
    io::{BufWriter, Seek as _, Write},
};

use db::prompts::archive::Batch;
use domain::auth::Viewer;
use futures::{StreamExt as _, channel::mpsc};
use serde::Serialize;
use serde_json::json;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{FORMAT, FORMAT_VERSION, MANIFEST, MOVES, PROMPTS, VERSIONS};
use crate::error::{ApiError, ApiResult};

/// Everything the viewer may see, as a ZIP at its beginning.
pub async fn all(connection: &mut db::Connection, viewer: &Viewer) -> ApiResult<File> {
    let (to, from) = mpsc::channel(1);
    let read = async {
        db::prompts::archive::export(connection, viewer, to)
            .await
            .map_err(ApiError::from)
    };
    let ((), areas) = futures::future::try_join(read, collect(from)).await?;
    on_a_thread(move || areas.zip()).await
}

async fn collect(mut from: mpsc::Receiver<Batch>) -> ApiResult<Areas> {
    let mut areas = Areas::new().map_err(|cause| ApiError::internal(&cause))?;
    while let Some(batch) = from.next().await {
        areas = on_a_thread(move || areas.add(&batch)).await?;
    }
    Ok(areas)
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> ApiResult<T> {
    let done = actix_web::web::block(work).await;
    done.map_err(|cause| ApiError::internal(&cause))?
        .map_err(|cause| ApiError::internal(&cause))
}

/// A file per area, and how many rows it has.
struct Areas(Vec<(&'static str, BufWriter<File>, usize)>);

impl Areas {
    fn new() -> std::io::Result<Self> {
        let area = |name| Ok((name, BufWriter::new(tempfile::tempfile()?), 0));
        [PROMPTS, VERSIONS, MOVES]
            .into_iter()
            .map(area)
            .collect::<std::io::Result<_>>()
            .map(Self)
    }

    fn add(mut self, batch: &Batch) -> std::io::Result<Self> {
        match batch {
            Batch::Prompts(rows) => self.add_rows(0, rows)?,
            Batch::Versions(rows) => self.add_rows(1, rows)?,
            Batch::Moves(rows) => self.add_rows(2, rows)?,
        }
        Ok(self)
    }

    fn add_rows(&mut self, area: usize, rows: &[impl Serialize]) -> std::io::Result<()> {
        let (_, file, count) = &mut self.0[area];
        for row in rows {
            serde_json::to_writer(&mut *file, row)?;
            file.write_all(b"\n")?;
        }
        *count += rows.len();
        Ok(())
    }

    fn zip(self) -> std::io::Result<File> {
        let options = SimpleFileOptions::default().large_file(true);
        let mut zip = ZipWriter::new(tempfile::tempfile()?);
        let counts: serde_json::Map<_, _> = self
            .0
            .iter()
            .map(|(name, _, count)| ((*name).to_owned(), json!(count)))
            .collect();
        zip.start_file(MANIFEST, options)?;
        let manifest = json!({
            "format": FORMAT,
            "formatVersion": FORMAT_VERSION,
            "exportedAt": chrono::Utc::now(),
            "rows": counts,
        });
        zip.write_all(manifest.to_string().as_bytes())?;
        for (name, file, _) in self.0 {
            let mut file = file.into_inner()?;
            file.rewind()?;
            zip.start_file(name, options)?;
            std::io::copy(&mut file, &mut zip)?;
        }
        let mut file = zip.finish()?;
        file.rewind()?;
        Ok(file)
    }
}
