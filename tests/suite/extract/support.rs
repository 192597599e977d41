//! What the tests of the extraction share.

use std::{path::PathBuf, time::Duration};

use domain::documents::{DocumentType, ExtractFault, Extracted};
use integrations::extract::{ExtractError, Extractor, sniff};
use tempfile::TempDir;

/// An extractor with room for real documents, whose child misbehaves if told so.
pub(crate) fn extractor(misbehaviour: Option<&str>) -> Extractor {
    let misbehave = misbehaviour
        .into_iter()
        .flat_map(|how| ["--misbehave".to_owned(), how.to_owned()]);
    Extractor {
        program: PathBuf::from(env!("CARGO_BIN_EXE_extractor")),
        args: misbehave.collect(),
        memory_bytes: 1 << 30,
        time_limit: Duration::from_secs(60),
    }
}

/// A file in a folder of its own.
pub(crate) struct File {
    folder: TempDir,
    name: String,
}

impl File {
    pub(crate) fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(name), content).expect("a file");
        Self {
            folder,
            name: name.to_owned(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// Its type by content and name.
    pub(crate) fn kind(&self) -> Option<DocumentType> {
        let name = self.name.parse().expect("a file name");
        sniff(&self.path(), &name).expect("the file can be read")
    }

    /// Sniffs and extracts as the worker does.
    pub(crate) async fn extract(&self) -> Result<Extracted, ExtractFault> {
        self.extract_by(&extractor(None)).await
    }

    pub(crate) async fn extract_by(
        &self,
        extractor: &Extractor,
    ) -> Result<Extracted, ExtractFault> {
        let kind = self.kind().expect("a supported type");
        match extractor.run(&self.path(), kind).await {
            Ok(extracted) => Ok(extracted),
            Err(ExtractError::Fault(fault)) => Err(fault),
            Err(ExtractError::Failed(error)) => panic!("the machine failed: {error}"),
        }
    }
}
