//! A worker that outlived its lease changes nothing, whatever it is about to do.

use std::time::Duration;

use db::{
    Connection,
    documents::work::{self, Task},
    halfvec::Embedding,
    jobs::FenceError,
};
use domain::{
    documents::{Chunk, DocumentId},
    jobs::{Claim, Failure, JobId, Outcome},
};
use tests::support::App;

use super::support::{dump, eventually, passages, row, rows, upload};

const LEASE: Duration = Duration::from_secs(60);

/// Two claims of one job, the first of which is lost.
struct Rivals {
    app: App,
    conn: Connection,
    document: DocumentId,
    job: JobId,
    lost: Claim,
    held: Claim,
}

async fn claim(conn: &mut Connection, id: JobId, name: &str, lease: Duration) -> Claim {
    let claim = db::jobs::claim(conn, id, name, lease).await;
    claim.expect("an answer").expect("the job waits")
}

/// The job that waits, claimed by a worker that goes silent and then by another.
async fn rivals(app: App, document: DocumentId) -> Rivals {
    let mut conn = app.database().connect().await;
    let job = rows(&mut conn).await.pop().expect("a job").id;
    let lost = claim(&mut conn, job, "silent", Duration::ZERO).await;
    eventually("the lease runs out and is taken back", async || {
        let mut conn = app.database().connect().await;
        db::jobs::sweep(&mut conn).await.expect("a sweep");
        row(&mut conn, job).await.worker.is_none()
    })
    .await;
    let held = claim(&mut conn, job, "living", LEASE).await;
    assert_ne!(lost.lease.token, held.lease.token);
    Rivals {
        app,
        conn,
        document,
        job,
        lost,
        held,
    }
}

async fn uploaded() -> (App, DocumentId) {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.md", &passages(3)).await;
    let id = document["id"].as_str().and_then(|id| id.parse().ok());
    (app, id.expect("an id"))
}

impl Rivals {
    /// Everything that an attempt may change.
    async fn everything(&mut self) -> String {
        let mut all = String::new();
        for table in ["documents", "chunks", "chunk_embeddings", "jobs"] {
            all += &dump(&mut self.conn, table).await;
        }
        all
    }

    async fn task(&mut self) -> Task {
        let begun = work::begin_embedding(&mut self.conn, self.held.lease, self.document, 1).await;
        begun.expect("the lease is held").expect("the document")
    }
}

fn passage() -> Chunk {
    let extracted = domain::documents::Extracted {
        text: "A passage of an outlived worker.".into(),
        ..Default::default()
    };
    domain::documents::chunk(&extracted).remove(0)
}

#[track_caller]
fn assert_lost<T>(ended: Result<T, FenceError>) {
    assert!(matches!(ended.err(), Some(FenceError::Lost)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outlived_extraction_stores_nothing() {
    let (app, document) = uploaded().await;
    let mut rivals = rivals(app, document).await;
    let task = rivals.task().await;
    let before = rivals.everything().await;
    let (conn, lost) = (&mut rivals.conn, rivals.lost.lease);
    assert_lost(work::begin_extraction(conn, lost, document).await);
    assert_lost(work::store_chunks(conn, lost, &task, &[passage()], None).await);
    assert_lost(work::fail(conn, lost, document, "broken", "It is broken.").await);
    assert_eq!(rivals.everything().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outlived_embedding_stores_nothing() {
    let (app, document) = uploaded().await;
    // The extraction is done in order, the embedding waits.
    let mut conn = app.database().connect().await;
    db::jobs::pause(&mut conn, domain::jobs::JobKind::DocumentsEmbed, None)
        .await
        .expect("paused");
    app.drain().await;
    db::jobs::resume(&mut conn, domain::jobs::JobKind::DocumentsEmbed)
        .await
        .expect("resumed");
    let mut rivals = rivals(app, document).await;
    let task = rivals.task().await;
    let held = rivals.held.lease;
    let pending = work::pending(&mut rivals.conn, held, &task, 1).await;
    let ids: Vec<_> = pending
        .expect("passages")
        .iter()
        .map(|one| one.id)
        .collect();
    let model = db::documents::refresh::model_id(&mut rivals.conn, "mock/one").await;
    let model = model.expect("a model");
    let vectors = vec![Embedding::from(&[0.5; 1536][..]); ids.len()];
    let before = rivals.everything().await;
    let (conn, lost) = (&mut rivals.conn, rivals.lost.lease);
    assert_lost(work::begin_embedding(conn, lost, document, 1).await);
    assert_lost(work::pending(conn, lost, &task, model).await);
    assert_lost(work::store_embeddings(conn, lost, &task, model, &ids, &vectors).await);
    assert_lost(work::complete(conn, lost, &task, model).await);
    assert_eq!(rivals.everything().await, before);

    // The same by the worker that holds the lease counts, and counts once.
    let conn = &mut rivals.conn;
    for _ in 0..2 {
        let stored = work::store_embeddings(conn, held, &task, model, &ids, &vectors).await;
        assert!(stored.expect("stored"));
    }
    let completed = work::complete(conn, held, &task, model).await;
    assert_eq!(completed.expect("completed"), work::Completion::Complete);
    let counted = rivals
        .app
        .count("documents WHERE chunks_embedded = chunks_total");
    assert_eq!(counted.await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outlived_attempt_ends_without_effect_however_it_ends() {
    let (app, document) = uploaded().await;
    let mut rivals = rivals(app, document).await;
    let before = rivals.everything().await;
    let failure = || Failure::new("late", "Too late.");
    let outcomes = [
        Outcome::Done,
        Outcome::Retry(failure()),
        Outcome::RetryAt(chrono::Utc::now(), failure()),
        Outcome::Snooze(chrono::Utc::now(), "late".into()),
        Outcome::Discard(failure()),
    ];
    for outcome in outcomes {
        let settled = db::jobs::settle(&mut rivals.conn, &rivals.lost, &outcome, 0.5).await;
        settled.expect("an answer");
    }
    let lost = rivals.lost.lease;
    let extended = db::jobs::extend(&mut rivals.conn, lost, LEASE).await;
    assert!(!extended.expect("an answer"));
    assert_eq!(rivals.everything().await, before);

    let held = rivals.held.lease;
    let extended = db::jobs::extend(&mut rivals.conn, held, LEASE).await;
    assert!(extended.expect("an answer"));
    assert_eq!(row(&mut rivals.conn, rivals.job).await.attempts, 2);
}
