//! Workers say that they are there and what they do; one that is killed is silent, then forgotten.

use std::{sync::Arc, time::Duration};

use domain::jobs::JobKind;
use serde_json::Value;
use tests::support::{App, Client};
use tokio::sync::Semaphore;

use super::{
    delivery::AtWork,
    support::{Scripted, eventually, passages, upload, worker_with},
};

async fn workers(client: &Client) -> Vec<Value> {
    let reply = client.get("/api/workers").await;
    let list = reply.expect(200).json();
    list.as_array().expect("a list").clone()
}

async fn found(client: &Client, name: &str) -> Option<Value> {
    let mut workers = workers(client).await;
    workers.retain(|worker| worker["name"] == name);
    workers.pop()
}

/// An embedder that answers nobody until the gate opens.
fn held_back() -> (Arc<Scripted>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let waits = gate.clone();
    let embedder = Scripted::new(move |_| {
        let waits = waits.clone();
        async move {
            waits.acquire().await.expect("an open gate").forget();
            Ok(())
        }
    });
    (embedder, gate)
}

async fn let_pass(app: &App, name: &str, seconds: u32) {
    let sql = format!(
        "UPDATE workers SET heard_at = heard_at - interval '{seconds} seconds' WHERE name = '{name}'"
    );
    app.database().run(&sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_workers_the_one_that_is_killed_is_silent_and_then_forgotten() {
    let app = App::start().await;
    let ada = app.register().await;
    let (stays, dies) = (AtWork::start(app.worker()), AtWork::start(app.worker()));
    let (staying, dying) = (stays.worker.clone(), dies.worker.name.clone());
    eventually("both are heard of", async || workers(&ada).await.len() == 2).await;
    let one = found(&ada, &dying).await.expect("it");
    assert_eq!(
        (&one["state"], &one["otherJobs"]),
        (&"up".into(), &0.into())
    );
    let kinds = one["kinds"].as_array().map(Vec::len);
    assert_eq!(kinds, Some(JobKind::ALL.len()));
    assert!(one["host"].is_string() && one["version"].is_string());

    dies.kill().await;
    let_pass(&app, &dying, 20).await;
    let silent = found(&ada, &dying).await.expect("still there");
    assert_eq!(silent["state"], "silent");
    let_pass(&app, &dying, 180).await;
    assert!(found(&ada, &dying).await.is_none());
    worker::beat(&staying).await.expect("heard");
    assert_eq!(app.count("workers").await, 1, "the other sweeps its row");
    assert_eq!(found(&ada, &staying.name).await.expect("it")["state"], "up");

    stays.end().await;
    assert_eq!(app.count("workers").await, 0, "who ends says so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_shows_what_it_does_for_a_company_and_of_others_only_how_much() {
    let app = App::start().await;
    let (ada, bob) = (app.register().await, app.register().await);
    let (embedder, gate) = held_back();
    let at_work = AtWork::start(worker_with(&app, embedder));
    let name = at_work.worker.name.clone();
    let document = upload(&ada, "a.md", &passages(2)).await;
    upload(&bob, "b.md", &passages(3)).await;
    let embeds = async |client: &Client| {
        let worker = found(client, &name).await.unwrap_or_default();
        let jobs = worker["jobs"].as_array().cloned().unwrap_or_default();
        (jobs, worker["otherJobs"].clone())
    };
    eventually("it is at both", async || {
        let (jobs, others) = embeds(&ada).await;
        jobs.len() == 1 && jobs[0]["kind"] == "documents.embed" && others == 1
    })
    .await;
    let (jobs, _) = embeds(&ada).await;
    assert_eq!(jobs[0]["subjectId"], document["id"]);
    assert!(jobs[0]["since"].is_string());
    let theirs = embeds(&bob).await;
    assert!(!theirs.0.iter().any(|job| job["id"] == jobs[0]["id"]));

    at_work.worker.stop.cancel();
    eventually("it is about to end", async || {
        found(&ada, &name)
            .await
            .is_some_and(|w| w["state"] == "draining")
    })
    .await;
    gate.add_permits(100);
    tokio::time::timeout(Duration::from_secs(60), at_work.end())
        .await
        .expect("it ends");
    assert!(found(&ada, &name).await.is_none());
    let developer = app.member(&ada, "developer").await;
    developer
        .get("/api/workers")
        .await
        .expect_problem(403, "forbidden");
}
