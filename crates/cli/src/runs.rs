//! `prompt-architect runs`.

use std::process::ExitCode;

use serde_json::Value;

use crate::{
    arguments::{Connection, Runs},
    failure::Failure,
    server::Server,
    table,
};

/// Lists runs, newest first.
pub async fn list(connection: &Connection, wanted: &Runs) -> Result<ExitCode, Failure> {
    let server = Server::new(connection)?;
    let runs = server
        .get(&format!("/api/runs?limit={}", wanted.limit))
        .await?;
    let runs = runs.as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<_> = runs.iter().map(row).collect();
    print!(
        "{}",
        table::render(&["run", "status", "cells", "started", "prompt"], &rows)
    );
    Ok(ExitCode::SUCCESS)
}

fn row(run: &Value) -> Vec<String> {
    let text = |member: &str| run[member].as_str().unwrap_or_default().to_owned();
    let started: String = text("createdAt").chars().take(19).collect();
    vec![
        text("id"),
        text("status"),
        run["cellCount"].to_string(),
        started,
        text("versionLabel"),
    ]
}
