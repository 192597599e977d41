//! `prompt-architect datasets`, and the datasets that `run` is given as files.

use std::{path::Path, process::ExitCode};

use reqwest::multipart::{Form, Part};
use serde_json::Value;

use crate::{
    arguments::{Connection, DatasetAction, Datasets},
    failure::Failure,
    server::Server,
};

/// Does what is asked with datasets.
pub async fn perform(connection: &Connection, wanted: &Datasets) -> Result<ExitCode, Failure> {
    let DatasetAction::Upload {
        file,
        company_visible,
    } = &wanted.action;
    let dataset = upload(&Server::new(connection)?, file, *company_visible).await?;
    println!("{}", dataset["id"].as_str().unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}

/// Makes a dataset of a file; the same file again is the dataset that is there.
pub async fn upload(server: &Server, file: &Path, company_visible: bool) -> Result<Value, Failure> {
    let unreadable =
        |cause| Failure::Undecided(format!("{} cannot be read: {cause}", file.display()));
    let bytes = tokio::fs::read(file).await.map_err(unreadable)?;
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let visibility = if company_visible {
        "company"
    } else {
        "private"
    };
    let form = || {
        let part = Part::bytes(bytes.clone()).file_name(name.clone());
        Form::new()
            .part("file", part)
            .text("visibility", visibility)
    };
    let dataset = server.upload("/api/datasets", form).await?;
    eprintln!(
        "{name} is dataset {}: {} rows",
        dataset["id"].as_str().unwrap_or("?"),
        dataset["rowCount"]
    );
    Ok(dataset)
}
