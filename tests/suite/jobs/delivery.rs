//! Real Redis and real consumers: messages that come twice, get lost or are cut off.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use domain::jobs::{Dispatch, JobState};
use queue::delivery::Sender;
use secrecy::ExposeSecret as _;
use tests::support::App;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::broadcast,
    task::JoinHandle,
};
use url::Url;
use worker::Worker;

use super::support::{chore, enqueued, eventually, row, rows};

/// A worker at work in this process.
pub(crate) struct AtWork {
    pub(crate) worker: Arc<Worker>,
    running: JoinHandle<anyhow::Result<()>>,
}

impl AtWork {
    pub(crate) fn start(worker: Worker) -> Self {
        let worker = Arc::new(worker);
        let running = tokio::spawn(worker::run(worker.clone()));
        Self { worker, running }
    }

    /// Ends it as a kill does: without a word.
    pub(crate) async fn kill(self) {
        self.running.abort();
        drop(self.running.await);
    }

    /// Asks it to end and waits until it has.
    pub(crate) async fn end(self) {
        self.worker.stop.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(60), self.running).await;
        ended
            .expect("it ends")
            .expect("without panic")
            .expect("well");
    }
}

async fn all_done(app: &App) -> bool {
    app.count("jobs WHERE state <> 'done'").await == 0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_five_times_is_performed_once() {
    let app = App::start().await;
    let mut conn = app.database().connect().await;
    let job = enqueued(&mut conn, chore("a")).await;
    let config = app.config.queue.clone();
    let sender = Sender::new(queue::connect(&config).expect("Redis"), config);
    for epoch in 101..=105 {
        let message = Dispatch {
            id: job.id,
            kind: job.kind,
            epoch,
        };
        sender.send(&[message]).await.expect("sent");
    }
    let at_work = AtWork::start(app.worker());
    eventually("the job is done", async || all_done(&app).await).await;
    eventually("no message is left", async || messages(&app).await == 0).await;
    at_work.end().await;
    assert_eq!(row(&mut conn, job.id).await.attempts, 1);
}

/// Messages that wait in Redis.
async fn messages(app: &App) -> u64 {
    let queue = format!(
        "{}:jobs:documents.discard_file",
        app.config.queue.redis_prefix
    );
    let (scheduled, active): (u64, u64) = redis::pipe()
        .zcard(format!("{queue}:scheduled"))
        .llen(format!("{queue}:active"))
        .query_async(&mut app.redis().await)
        .await
        .expect("lengths");
    scheduled + active
}

#[tokio::test(flavor = "multi_thread")]
async fn what_redis_has_lost_is_handed_out_again() {
    let app = App::start().await;
    let mut conn = app.database().connect().await;
    enqueued(&mut conn, chore("a")).await;
    eventually("the server hands the job out", async || {
        messages(&app).await == 1
    })
    .await;
    app.expire("jobs:*").await;
    eventually("it does so again", async || messages(&app).await == 1).await;
    assert_eq!(rows(&mut conn).await[0].attempts, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_died_with_its_worker_is_sent_again_though_redis_lost_nothing_else() {
    let app = App::start().await;
    let mut conn = app.database().connect().await;
    let job = enqueued(&mut conn, chore("a")).await;
    eventually("the server hands the job out", async || {
        messages(&app).await == 1
    })
    .await;
    app.expire("jobs:documents.discard_file*").await;
    let at_work = AtWork::start(app.worker());
    eventually("the job is done", async || all_done(&app).await).await;
    at_work.end().await;
    assert_eq!(row(&mut conn, job.id).await.attempts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_the_work_and_each_job_is_done_once() {
    let app = App::start().await;
    let mut conn = app.database().connect().await;
    let jobs: Vec<_> = (0..300).map(|n| chore(&n.to_string())).collect();
    db::jobs::enqueue(&mut conn, &jobs).await.expect("rows");
    let both = [AtWork::start(app.worker()), AtWork::start(app.worker())];
    eventually("all are done", async || all_done(&app).await).await;
    for at_work in both {
        at_work.end().await;
    }
    let rows = rows(&mut conn).await;
    assert!(rows.iter().all(|row| row.attempts == 1));
    let workers: BTreeSet<_> = rows.iter().filter_map(|row| row.worker.clone()).collect();
    assert_eq!(workers.len(), 2);
}

/// A way to Redis that can be cut.
struct Wire {
    port: u16,
    cut: broadcast::Sender<()>,
}

impl Wire {
    async fn to(url: &Url) -> Self {
        let there = format!(
            "{}:{}",
            url.host_str().expect("a host"),
            url.port().unwrap_or(6379)
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (cut, _) = broadcast::channel(1);
        let cuts = cut.clone();
        tokio::spawn(async move {
            while let Ok((mut here, _)) = listener.accept().await {
                let (there, mut cut) = (there.clone(), cuts.subscribe());
                tokio::spawn(async move {
                    let mut there = TcpStream::connect(there).await.expect("Redis listens");
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut here, &mut there) => {}
                        _ = cut.recv() => {}
                    }
                });
            }
        });
        Self { port, cut }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_connections_are_cut_again_and_again_goes_on() {
    let app = App::start().await;
    let mut url = Url::parse(app.config.queue.redis_url.expose_secret()).expect("a URL");
    let wire = Wire::to(&url).await;
    url.set_port(Some(wire.port)).expect("a port");
    let worker = app.worker_with(|config| config.queue.redis_url = url.as_str().into());
    let at_work = AtWork::start(worker);
    let mut conn = app.database().connect().await;
    for round in 0_u16..4 {
        let jobs: Vec<_> = (0..50).map(|n| chore(&format!("{round}-{n}"))).collect();
        db::jobs::enqueue(&mut conn, &jobs).await.expect("rows");
        let wanted = i64::from(round) * 50 + 10;
        eventually("some are done", async || {
            app.count("jobs WHERE state = 'done'").await >= wanted
        })
        .await;
        wire.cut.send(()).expect("connections to cut");
    }
    eventually("all are done", async || all_done(&app).await).await;
    at_work.end().await;
    assert!(rows(&mut conn).await.iter().all(|row| row.attempts == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_begins_soon_after_a_job_is_enqueued() {
    static TURN: AtomicU16 = AtomicU16::new(0);
    let app = App::start().await;
    let at_work = AtWork::start(app.worker());
    let mut conn = app.database().connect().await;
    for _ in 0..30 {
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        db::jobs::enqueue(&mut conn, &[chore(&turn.to_string())])
            .await
            .expect("a row");
        // As a request does when it has committed.
        app.inner.wake.notify_one();
        eventually("it is done", async || all_done(&app).await).await;
    }
    at_work.end().await;
    let mut waits: Vec<i64> = rows(&mut conn)
        .await
        .iter()
        .filter_map(|row| (row.started_at? - row.created_at).num_microseconds())
        .collect();
    waits.sort_unstable();
    // A figure to look at, not to fail on.
    eprintln!("push to start: p50 {} µs, p95 {} µs", waits[15], waits[28]);
    assert!(
        rows(&mut conn)
            .await
            .iter()
            .all(|row| row.state == JobState::Done)
    );
}
