//! Files of the product's users: a local folder, or anything that speaks S3. Contents are streamed
//! both ways and never held whole in memory.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use futures::{TryStreamExt, stream::BoxStream};
use object_store::{
    ObjectStore, ObjectStoreExt, WriteMultipart, aws::AmazonS3Builder, local::LocalFileSystem,
    path::Path as Key, prefix::PrefixStore,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

/// Bytes moved at a time.
const PIECE: usize = 256 * 1024;

/// Where files are kept.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct StorageConfig {
    /// Where files are kept: `file:///var/lib/prompt-architect` or `s3://bucket/prefix`. For S3 the
    /// usual variables apply: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`,
    /// `AWS_ENDPOINT`.
    #[arg(long, env = "STORAGE_URL")]
    pub storage_url: Url,
}

/// Why a file could not be stored, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Nothing is stored under that key.
    #[error("the file is not in the storage")]
    Missing,
    /// The storage failed.
    #[error(transparent)]
    Store(object_store::Error),
    /// The local copy failed.
    #[error(transparent)]
    Local(#[from] std::io::Error),
}

impl From<object_store::Error> for StorageError {
    fn from(cause: object_store::Error) -> Self {
        match cause {
            object_store::Error::NotFound { .. } => Self::Missing,
            other => Self::Store(other),
        }
    }
}

/// The place where files are kept.
#[derive(Debug, Clone)]
pub struct Storage(Arc<dyn ObjectStore>);

impl Storage {
    /// Opens the place the configuration names; a local folder is made if it is not there.
    pub fn open(config: &StorageConfig) -> anyhow::Result<Self> {
        let url = &config.storage_url;
        let store: Arc<dyn ObjectStore> = match url.scheme() {
            "file" => {
                let folder = url.to_file_path().map_err(|()| {
                    anyhow::anyhow!("STORAGE_URL must be an absolute file:// path")
                })?;
                std::fs::create_dir_all(&folder)?;
                Arc::new(LocalFileSystem::new_with_prefix(folder)?.with_automatic_cleanup(true))
            }
            "s3" => {
                let bucket = AmazonS3Builder::from_env().with_url(url.as_str()).build()?;
                Arc::new(PrefixStore::new(bucket, Key::from(url.path())))
            }
            other => {
                anyhow::bail!("STORAGE_URL starts with {other}://, but file:// or s3:// is needed")
            }
        };
        Ok(Self(store))
    }

    /// Stores a local file under this key.
    pub async fn put(&self, key: &str, file: &Path) -> Result<(), StorageError> {
        let mut source = tokio::fs::File::open(file).await?;
        let mut target = WriteMultipart::new(self.0.put_multipart(&Key::from(key)).await?);
        let mut piece = vec![0; PIECE];
        loop {
            let read = source.read(&mut piece).await?;
            if read == 0 {
                break;
            }
            target.wait_for_capacity(4).await?;
            target.write(&piece[..read]);
        }
        target.finish().await?;
        Ok(())
    }

    /// The bytes under this key, piece by piece.
    pub async fn read(
        &self,
        key: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, object_store::Error>>, StorageError> {
        Ok(self.0.get(&Key::from(key)).await?.into_stream())
    }

    /// Copies what is under this key into a local file.
    pub async fn fetch(&self, key: &str, file: &Path) -> Result<(), StorageError> {
        let mut source = self.read(key).await?;
        let mut target = tokio::fs::File::create(file).await?;
        while let Some(piece) = source.try_next().await? {
            target.write_all(&piece).await?;
        }
        target.flush().await?;
        Ok(())
    }

    /// Removes what is under this key; nothing there is fine.
    pub async fn remove(&self, key: &str) -> Result<(), StorageError> {
        match self.0.delete(&Key::from(key)).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(cause) => Err(cause.into()),
        }
    }
}
