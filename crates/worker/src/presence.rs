//! A worker says that it is there: every few seconds, and at once when it is about to end. It costs a
//! statement each time; that it may fail is no reason for a worker to do anything.

use std::time::Duration;

use db::workers::{Hello, ServedKind};

use crate::Worker;

/// Between two beats; three that are missed make a worker silent.
const PACE: Duration = Duration::from_secs(5);

/// Says again and again that the worker is there. Never returns.
pub async fn keep_saying(worker: &Worker) {
    let host = host();
    loop {
        let was_stopped = worker.stop.is_cancelled();
        if let Err(cause) = say(worker, &host).await {
            tracing::debug!(error = format!("{cause:#}"), "was not heard of");
        }
        tokio::select! {
            () = tokio::time::sleep(PACE) => {}
            () = worker.stop.cancelled(), if !was_stopped => {}
        }
    }
}

/// Says once that the worker is there.
pub async fn beat(worker: &Worker) -> anyhow::Result<()> {
    say(worker, &host()).await
}

async fn say(worker: &Worker, host: &str) -> anyhow::Result<()> {
    let config = &worker.config;
    let served = config.served().into_iter();
    let kinds: Vec<ServedKind> = served
        .map(|(kind, at_once)| ServedKind {
            kind: kind.as_str().to_owned(),
            concurrency: i64::try_from(at_once).unwrap_or(i64::MAX),
            each: Some(config.queue.each(kind)).filter(|each| *each < i64::MAX),
        })
        .collect();
    let hello = Hello {
        name: &worker.name,
        host,
        version: env!("CARGO_PKG_VERSION"),
        kinds: &kinds,
        is_draining: worker.stop.is_cancelled(),
    };
    Ok(db::workers::beat(&mut *worker.pool.get().await?, &hello).await?)
}

/// Says that the worker has ended.
pub async fn sign_off(worker: &Worker) {
    let signed_off = async {
        let mut conn = worker.pool.get().await?;
        anyhow::Ok(db::workers::sign_off(&mut conn, &worker.name).await?)
    };
    if let Err(cause) = signed_off.await {
        tracing::debug!(error = format!("{cause:#}"), "did not sign off");
    }
}

/// What the machine calls itself.
fn host() -> String {
    let said = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let said = said.ok().or_else(|| std::env::var("HOSTNAME").ok());
    let name = said.unwrap_or_default().trim().to_owned();
    if name.is_empty() {
        "unknown".into()
    } else {
        name
    }
}
