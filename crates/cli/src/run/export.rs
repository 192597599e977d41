//! Files that a pipeline keeps of a run.

use std::path::Path;

use tokio::{fs::File, io::AsyncWriteExt as _};

use crate::{
    arguments::Output,
    failure::Failure,
    server::{Server, broken},
};

/// Writes what was asked for. A server that does not export in this form is no reason to fail.
pub async fn write(server: &Server, id: &str, output: &Output) -> Result<(), Failure> {
    let files = [("junit", &output.junit), ("csv", &output.csv)];
    for (format, file) in files {
        if let Some(file) = file {
            match export(server, id, format, file).await {
                Err(Failure::Refused { status: 404, .. }) => {
                    eprintln!(
                        "This server has no export as {format}: {} was not written.",
                        file.display()
                    );
                }
                ended => ended?,
            }
        }
    }
    Ok(())
}

async fn export(server: &Server, id: &str, format: &str, file: &Path) -> Result<(), Failure> {
    let fault = |cause: std::io::Error| Failure::Undecided(format!("{}: {cause}", file.display()));
    let path = format!("/api/runs/{id}/export?format={format}");
    let mut answer = server.open(&path).await?;
    let mut written = File::create(file).await.map_err(fault)?;
    while let Some(bytes) = answer.chunk().await.map_err(|cause| broken(&cause))? {
        written.write_all(&bytes).await.map_err(fault)?;
    }
    written.flush().await.map_err(fault)
}
