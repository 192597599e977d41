//! The bound of an import: one `COPY` of lines that are ready, over one connection, into a table with
//! the columns and the key of the product's.

use std::time::Instant;

use anyhow::ensure;
use bytes::Bytes;
use futures::SinkExt as _;
use tokio_postgres::NoTls;

use crate::bench::stand::Stand;

/// How much is sent at once.
const PIECE: usize = 64 * 1024;

/// A connection with a table of its own.
pub struct Bare(tokio_postgres::Client);

impl Bare {
    /// Connects to the database of the stand and makes the table.
    pub async fn connect(stand: &Stand) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(stand.database.url(), NoTls).await?;
        tokio::spawn(connection);
        let table = "CREATE TABLE IF NOT EXISTS bare_rows (LIKE dataset_rows INCLUDING ALL)";
        client.batch_execute(table).await?;
        Ok(Self(client))
    }

    /// Copies these lines into the empty table, and gives the seconds that it took.
    pub async fn copy(&self, lines: String, rows: usize) -> anyhow::Result<f64> {
        self.0.batch_execute("TRUNCATE bare_rows").await?;
        let mut lines = Bytes::from(lines);
        let started = Instant::now();
        let sql = "COPY bare_rows (dataset_id, row_index, since, until, cells) FROM STDIN";
        let mut sink = Box::pin(self.0.copy_in::<_, Bytes>(sql).await?);
        while !lines.is_empty() {
            sink.feed(lines.split_to(PIECE.min(lines.len()))).await?;
        }
        let copied = sink.as_mut().finish().await?;
        let seconds = started.elapsed().as_secs_f64();
        ensure!(copied == rows as u64, "{copied} of {rows} rows");
        Ok(seconds)
    }
}
