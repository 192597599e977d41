//! Reading everything that somebody may see, area by area, in batches, from one moment.

use std::collections::BTreeSet;

use diesel::{prelude::*, result::Error::RollbackTransaction};
use diesel_async::RunQueryDsl;
use domain::{auth::Viewer, documents::Sha256, users::UserId};
use futures::{SinkExt as _, channel::mpsc};
use serde::Serialize;

use super::ArchivedPerson;
use crate::{
    Connection, datasets, documents, outputs, prompts, requests, schema::users, templates,
    workflows,
};

/// Bytes that a row names.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// Their SHA-256.
    pub sha256: Sha256,
    /// Where they are.
    pub storage_key: String,
}

/// Something on its way into an archive.
#[derive(Debug)]
pub enum Part {
    /// Lines of a file.
    Lines {
        /// Which file.
        file: &'static str,
        /// The lines, each with its end.
        text: Vec<u8>,
        /// How many they are.
        rows: usize,
    },
    /// Bytes to be put in.
    Files(Vec<StoredFile>),
}

/// The way out.
#[derive(Debug)]
pub struct Out {
    to: mpsc::Sender<Part>,
    people: BTreeSet<UserId>,
}

impl Out {
    /// Sends rows as lines. When nobody listens any more, the transaction ends.
    pub(crate) async fn rows(
        &mut self,
        file: &'static str,
        rows: &[impl Serialize],
    ) -> QueryResult<()> {
        let mut text = Vec::new();
        for row in rows {
            let unwritable = |cause| {
                diesel::result::Error::SerializationError(Box::<serde_json::Error>::new(cause))
            };
            serde_json::to_writer(&mut text, row).map_err(unwritable)?;
            text.push(b'\n');
        }
        let rows = rows.len();
        self.send(Part::Lines { file, text, rows }).await
    }

    /// Names the bytes that rows need.
    pub(crate) async fn files(&mut self, files: Vec<StoredFile>) -> QueryResult<()> {
        self.send(Part::Files(files)).await
    }

    /// Remembers those whom rows name.
    pub(crate) fn meet(&mut self, ids: impl IntoIterator<Item = UserId>) {
        self.people.extend(ids);
    }

    async fn send(&mut self, part: Part) -> QueryResult<()> {
        self.to.send(part).await.map_err(|_| RollbackTransaction)
    }
}

/// Sends all that the viewer may see, as it is at one moment. Stops early when nobody listens.
pub async fn export(
    conn: &mut Connection,
    viewer: &Viewer,
    to: mpsc::Sender<Part>,
) -> QueryResult<()> {
    let mut out = Out {
        to,
        people: BTreeSet::new(),
    };
    let sent = conn
        .build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |conn| {
            templates::archive::export(conn, viewer, &mut out).await?;
            requests::archive::export(conn, viewer, &mut out).await?;
            prompts::archive::export(conn, viewer, &mut out).await?;
            documents::archive::export(conn, viewer, &mut out).await?;
            workflows::archive::export(conn, viewer, &mut out).await?;
            datasets::archive::export(conn, viewer, &mut out).await?;
            outputs::archive::export(conn, viewer, &mut out).await?;
            people(conn, viewer, &mut out).await
        })
        .await;
    match sent {
        Err(RollbackTransaction) => Ok(()),
        sent => sent,
    }
}

async fn people(conn: &mut Connection, viewer: &Viewer, out: &mut Out) -> QueryResult<()> {
    let ids: Vec<UserId> = std::mem::take(&mut out.people).into_iter().collect();
    for some in ids.chunks(1000) {
        let page: Vec<ArchivedPerson> = users::table
            .filter(users::company_id.eq(viewer.company_id))
            .filter(users::id.eq_any(some))
            .select(ArchivedPerson::as_select())
            .order(users::id)
            .load(conn)
            .await?;
        out.rows("people.jsonl", &page).await?;
    }
    Ok(())
}
