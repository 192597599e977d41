//! What the tests of jobs share: jobs that do next to nothing, a look at their rows, and an
//! embedder that does what a test wants.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use db::{
    Connection,
    jobs::{Filter, JobRow, NewJob},
};
use diesel::{QueryableByName, sql_types::Text};
use diesel_async::RunQueryDsl as _;
use domain::{
    documents::{DiscardFile, DocumentId, EmbedDocument},
    jobs::{Dispatch, JobId, JobKind},
    page::Limit,
    providers::{
        Embedder, EmbeddingTask, Embeddings, PortFuture, ProviderError, mock::MockEmbedder,
    },
    users::CompanyId,
};
use serde_json::Value;
use tests::support::{App, Client, database::Database};
use uuid::Uuid;
use worker::Worker;

/// Where documents are uploaded.
const UPLOAD: &str = "/api/documents/upload";

/// A job that removes a file nobody has: the cheapest there is.
pub(crate) fn chore(name: &str) -> NewJob {
    NewJob::new(&DiscardFile {
        storage_key: format!("nothing/{name}"),
    })
}

/// A job of an owner. Its document does not exist, so that it is done at once.
pub(crate) fn owned(company_id: CompanyId, owner: Uuid) -> NewJob {
    NewJob::new(&EmbedDocument {
        document_id: DocumentId::new(),
        generation: 1,
    })
    .of(company_id, owner)
}

/// A company, made by hand.
pub(crate) async fn company(database: &Database) -> CompanyId {
    let id = CompanyId::new();
    let sql = format!("INSERT INTO companies (id, name) VALUES ('{id}', 'Engines')");
    database.run(&sql).await;
    id
}

/// Every job, oldest first.
pub(crate) async fn rows(conn: &mut Connection) -> Vec<JobRow> {
    let limit: Limit = 1000.try_into().expect("a limit");
    let page = db::jobs::list(conn, &Filter::default(), limit).await;
    let mut rows = page.expect("jobs").rows;
    rows.reverse();
    rows
}

/// Enqueues one and gives its row.
pub(crate) async fn enqueued(conn: &mut Connection, job: NewJob) -> JobRow {
    let count = db::jobs::enqueue(conn, &[job]).await.expect("a row");
    assert_eq!(count, 1);
    rows(conn).await.pop().expect("a job")
}

/// One job's row.
pub(crate) async fn row(conn: &mut Connection, id: JobId) -> JobRow {
    let mut rows = rows(conn).await;
    rows.retain(|row| row.id == id);
    rows.pop().expect("the job is there")
}

/// Hands out what is due, so many of each kind.
pub(crate) async fn dispatched(conn: &mut Connection, places: i64) -> Vec<Dispatch> {
    dispatched_each(conn, places, i64::MAX).await
}

/// The same, with so many under way at once for one owner.
pub(crate) async fn dispatched_each(
    conn: &mut Connection,
    places: i64,
    each: i64,
) -> Vec<Dispatch> {
    let windows = JobKind::ALL
        .iter()
        .map(|kind| db::jobs::Window {
            kind: *kind,
            places,
            each,
        })
        .collect();
    db::jobs::dispatch(conn, &windows)
        .await
        .expect("a dispatch")
}

#[derive(QueryableByName)]
struct Dump {
    #[diesel(sql_type = Text)]
    dump: String,
}

/// All rows of a table as text, to see whether anything changed.
pub(crate) async fn dump(conn: &mut Connection, table: &str) -> String {
    let sql = format!(
        "SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '') AS dump FROM {table} t"
    );
    let found: Dump = diesel::sql_query(sql).get_result(conn).await.expect("rows");
    found.dump
}

/// Waits until what other processes do has come about.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Uploads a text and gives the document.
pub(crate) async fn upload(client: &Client, name: &str, text: &str) -> Value {
    let reply = client.upload(UPLOAD, name, text.as_bytes(), &[]).await;
    reply.expect(201).json()
}

/// A text of so many passages.
pub(crate) fn passages(count: usize) -> String {
    let section = |number| {
        let words = format!("Section {number} is about water. ").repeat(60);
        format!("# Part {number}\n\n{words}\n\n")
    };
    (0..count).map(section).collect()
}

/// What an embedder does before it answers.
type Before = dyn Fn(usize) -> PortFuture<'static, Result<(), ProviderError>> + Send + Sync;

/// An embedder that does what it is told, and remembers what it was asked.
pub(crate) struct Scripted {
    before: Box<Before>,
    batch_size: usize,
    calls: AtomicUsize,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    /// Before the answer to call `n`, counted from 0, this happens.
    pub(crate) fn new<F>(before: impl Fn(usize) -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = Result<(), ProviderError>> + Send + 'static,
    {
        Self::of_size(100, before)
    }

    /// One whose calls take so many texts.
    pub(crate) fn of_size<F>(
        batch_size: usize,
        before: impl Fn(usize) -> F + Send + Sync + 'static,
    ) -> Arc<Self>
    where
        F: Future<Output = Result<(), ProviderError>> + Send + 'static,
    {
        Arc::new(Self {
            before: Box::new(move |call| Box::pin(before(call))),
            batch_size,
            calls: AtomicUsize::default(),
            asked: Mutex::default(),
        })
    }

    /// Every text that it was asked to embed, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Embedder for Scripted {
    fn name(&self) -> &'static str {
        "mock/scripted"
    }

    fn batch_size(&self) -> usize {
        self.batch_size
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [&'a str],
        task: EmbeddingTask,
    ) -> PortFuture<'a, Result<Embeddings, ProviderError>> {
        Box::pin(async move {
            let call = self.calls.fetch_add(1, Ordering::Relaxed);
            let asked = texts.iter().map(|text| (*text).to_owned());
            self.asked.lock().expect("no panic").extend(asked);
            (self.before)(call).await?;
            MockEmbedder.embed(texts, task).await
        })
    }
}

/// A worker of this installation with this embedder.
pub(crate) fn worker_with(app: &App, embedder: Arc<Scripted>) -> Worker {
    let mut worker = app.worker();
    worker.embedder = embedder;
    worker
}
