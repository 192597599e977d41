//! Writing an archive: rows come in batches from one moment of the database, and go to a file per
//! table, of which a ZIP is made at the end, with the bytes that the rows name.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Seek as _, Write},
};

use db::archive::{Part, StoredFile};
use domain::auth::Viewer;
use futures::{StreamExt as _, TryStreamExt as _, channel::mpsc};
use integrations::storage::{Storage, StorageError};
use serde_json::{Map, json};
use tokio::runtime::Handle;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::format::{FILES, MANIFEST, PEOPLE, manifest, tables};
use crate::error::{ApiError, ApiResult};

/// Everything the viewer may see, but for the bytes.
pub async fn rows(connection: &mut db::Connection, viewer: &Viewer) -> ApiResult<Tables> {
    let (to, from) = mpsc::channel(1);
    let read = async {
        db::archive::export(connection, viewer, to)
            .await
            .map_err(ApiError::from)
    };
    let ((), tables) = futures::future::try_join(read, collect(from)).await?;
    Ok(tables)
}

async fn collect(mut from: mpsc::Receiver<Part>) -> ApiResult<Tables> {
    let mut tables = Tables::new().map_err(|cause| ApiError::internal(&cause))?;
    while let Some(part) = from.next().await {
        tables = on_a_thread(move || Ok(tables.add(part)?)).await?;
    }
    Ok(tables)
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> ApiResult<T> + Send + 'static,
) -> ApiResult<T> {
    let done = actix_web::web::block(work).await;
    done.map_err(|cause| ApiError::internal(&cause))?
}

impl From<std::io::Error> for ApiError {
    fn from(cause: std::io::Error) -> Self {
        Self::internal(&cause)
    }
}

/// A file per table with how many rows it has, and where the bytes are that they name.
pub struct Tables {
    files: Vec<(&'static str, BufWriter<File>, usize)>,
    bytes: BTreeMap<String, String>,
}

impl Tables {
    fn new() -> std::io::Result<Self> {
        let file = |name| Ok((name, BufWriter::new(tempfile::tempfile()?), 0));
        let files = std::iter::once(PEOPLE).chain(tables().map(|table| table.file));
        Ok(Self {
            files: files.map(file).collect::<std::io::Result<_>>()?,
            bytes: BTreeMap::new(),
        })
    }

    fn add(mut self, part: Part) -> std::io::Result<Self> {
        match part {
            Part::Lines { file, text, rows } => {
                let known = self.files.iter_mut().find(|(name, _, _)| *name == file);
                let (_, to, count) = known.ok_or_else(|| std::io::Error::other(file))?;
                to.write_all(&text)?;
                *count += rows;
            }
            Part::Files(files) => {
                let each = files.into_iter().map(
                    |StoredFile {
                         sha256,
                         storage_key,
                     }| (sha256.to_string(), storage_key),
                );
                self.bytes.extend(each);
            }
        }
        Ok(self)
    }

    /// A ZIP of it at its beginning, with the bytes out of the storage.
    pub async fn zip(self, storage: Storage) -> ApiResult<File> {
        let runtime = Handle::current();
        on_a_thread(move || self.write(&storage, &runtime)).await
    }

    fn write(self, storage: &Storage, runtime: &Handle) -> ApiResult<File> {
        let packed = SimpleFileOptions::default().large_file(true);
        let mut zip = ZipWriter::new(tempfile::tempfile()?);
        let mut counts = Map::new();
        for (name, file, count) in self.files {
            counts.insert(name.to_owned(), json!(count));
            let mut file = file
                .into_inner()
                .map_err(std::io::IntoInnerError::into_error)?;
            file.rewind()?;
            start(&mut zip, name, packed)?;
            std::io::copy(&mut file, &mut zip)?;
        }
        let mut missing = Vec::new();
        let plain = packed.compression_method(CompressionMethod::Deflated);
        for (sha256, key) in self.bytes {
            match runtime.block_on(storage.read(&key)) {
                Err(StorageError::Missing) => {
                    tracing::warn!(
                        key,
                        "a file is not in the storage and is left out of an archive"
                    );
                    missing.push(sha256);
                }
                Err(cause) => return Err(cause.into()),
                Ok(mut bytes) => {
                    start(&mut zip, &format!("{FILES}{sha256}"), plain)?;
                    let failed = |cause| ApiError::from(StorageError::Store(cause));
                    while let Some(piece) = runtime.block_on(bytes.try_next()).map_err(failed)? {
                        zip.write_all(&piece)?;
                    }
                }
            }
        }
        start(&mut zip, MANIFEST, packed)?;
        zip.write_all(manifest(&counts, &missing).to_string().as_bytes())?;
        let mut file = zip.finish().map_err(|cause| ApiError::internal(&cause))?;
        file.rewind()?;
        Ok(file)
    }
}

fn start(zip: &mut ZipWriter<File>, name: &str, options: SimpleFileOptions) -> ApiResult<()> {
    zip.start_file(name, options)
        .map_err(|cause| ApiError::internal(&cause))
}
