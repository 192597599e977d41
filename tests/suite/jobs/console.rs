//! What admins see of their company's jobs: why each waits, and how each kind stands.

use chrono::{DateTime, TimeDelta, Utc};
use db::Connection;
use domain::{
    jobs::{JobId, JobKind},
    providers::ProviderError,
};
use serde_json::{Value, json};
use tests::support::{App, Client};

use super::support::{Scripted, eventually, passages, rows, upload, worker_with};

const JOBS: &str = "/api/jobs";

/// The jobs that a query finds.
pub(super) async fn listed(client: &Client, query: &str) -> Vec<Value> {
    let reply = client.get(&format!("{JOBS}{query}")).await;
    reply.expect(200).json().as_array().expect("a list").clone()
}

/// Why the one job waits that does.
async fn wait(client: &Client) -> (String, String, Value) {
    let jobs = listed(client, "?state=queued").await;
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    let text = |member: &str| jobs[0][member].as_str().unwrap_or_default().to_owned();
    let until = jobs[0]["waitUntil"].clone();
    (text("waitCode"), text("waitReason"), until)
}

/// A document whose embedding met this failure.
async fn met(failure: impl Fn() -> ProviderError + Send + Sync + 'static) -> (App, Client) {
    let app = App::start().await;
    let ada = app.register().await;
    upload(&ada, "a.md", &passages(1)).await;
    let embedder = Scripted::new(move |_| std::future::ready(Err(failure())));
    let worker = worker_with(&app, embedder);
    worker::drain(&worker).await.expect("drained");
    (app, ada)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_a_provider_put_off_is_parked_until_the_time_it_named() {
    let named = Utc::now() + TimeDelta::hours(1);
    let (_app, ada) = met(move || ProviderError::RateLimited { retry_at: named }).await;
    let (code, sentence, until) = wait(&ada).await;
    assert_eq!(code, "parked");
    assert!(
        sentence.starts_with("the provider asks to wait"),
        "{sentence}"
    );
    let until: DateTime<Utc> = serde_json::from_value(until).expect("a time");
    assert!((until - named).abs() < TimeDelta::milliseconds(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_failed_waits_for_its_next_attempt() {
    let later = Utc::now() + TimeDelta::hours(1);
    let overloaded = move || {
        let says = "It is too much.".into();
        let retry_at = Some(later);
        ProviderError::Overloaded(domain::providers::Trouble { says, retry_at })
    };
    let (_app, ada) = met(overloaded).await;
    let (code, sentence, until) = wait(&ada).await;
    assert_eq!(
        (code.as_str(), sentence.as_str()),
        ("retry", "waits for its next attempt")
    );
    assert!(until.is_string());
    let of_class = listed(&ada, "?errorClass=provider_overloaded").await;
    assert_eq!(of_class.len(), 1);
    assert!(listed(&ada, "?errorClass=worker_lost").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_another_worker_has_to_do_depends_on_it() {
    let app = App::start().await;
    let ada = app.register().await;
    upload(&ada, "a.md", &passages(1)).await;
    let mut conn = app.database().connect().await;
    let chosen = db::documents::refresh::choose(&mut conn, "mock/of-tomorrow").await;
    chosen.expect("chosen");
    app.drain().await;
    let (code, _, until) = wait(&ada).await;
    assert_eq!(code, "dependency");
    assert!(until.is_string());
}

/// Has a worker of one place for each kind at a job of this kind, and gives the job.
async fn taken(app: &App, conn: &mut Connection, kind: JobKind) -> JobId {
    let worker = app.worker_with(|config| config.concurrency = 1);
    worker::beat(&worker).await.expect("heard");
    let jobs = rows(conn).await;
    let job = jobs.iter().find(|job| job.kind == kind).expect("a job").id;
    let lease = std::time::Duration::from_secs(600);
    let claim = db::jobs::claim(conn, job, &worker.name, lease).await;
    claim.expect("an answer").expect("claimed").lease.job_id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_for_which_all_places_are_taken_says_so_and_one_for_which_some_are_free_does_not() {
    let app = App::start().await;
    let ada = app.register().await;
    upload(&ada, "a.txt", "Water is wet.").await;
    upload(&ada, "b.txt", "Fire is hot.").await;
    let mut conn = app.database().connect().await;
    let under_way = taken(&app, &mut conn, JobKind::DocumentsExtract).await;
    let (code, sentence, until) = wait(&ada).await;
    assert_eq!(code, "concurrency");
    assert_eq!(sentence, "all 1 places for documents.extract are taken");
    assert_eq!(until, Value::Null);

    let settle = format!("UPDATE jobs SET state = 'done' WHERE id = '{under_way}'");
    app.database().run(&settle).await;
    eventually("the server hands it out", async || {
        wait(&ada).await.1 == "waits for a free worker"
    })
    .await;
    assert_eq!(wait(&ada).await.0, "worker");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_shown_with_all_that_is_known_of_it_and_found_by_what_it_works_on() {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.txt", "Water is wet.").await;
    upload(&ada, "b.txt", "Fire is hot.").await;
    let document = document["id"].as_str().expect("an id");
    let found = listed(&ada, &format!("?subjectId={document}")).await;
    assert_eq!(found.len(), 1);
    let id = found[0]["id"].as_str().expect("an id");
    let job = ada.get(&format!("{JOBS}/{id}")).await.expect(200).json();
    assert_eq!(job["args"], json!({"document_id": document}));
    assert_eq!(
        (
            &job["dedupeKey"],
            &job["timeLimitSeconds"],
            &job["leaseUntil"]
        ),
        (&document.into(), &600.into(), &Value::Null)
    );
    assert_eq!(job["subjectId"], document);
    ada.get(&format!("{JOBS}/{document}"))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_is_summed_up_for_the_own_company() {
    let app = App::start().await;
    let (ada, bob) = (app.register().await, app.register().await);
    for number in 0..3 {
        upload(&ada, "a.txt", &format!("Text {number}.")).await;
    }
    upload(&bob, "a.txt", "Water is wet.").await;
    let mut conn = app.database().connect().await;
    let oldest = rows(&mut conn).await[0].run_at;
    taken(&app, &mut conn, JobKind::DocumentsExtract).await;
    app.database()
        .run("UPDATE jobs SET state = 'dead' WHERE id = (SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1)")
        .await;
    ada.put("/api/jobs/pauses/documents.extract", &json!({}))
        .await
        .expect(200);
    let summary = ada.get("/api/jobs/summary").await.expect(200).json();
    let kinds = summary.as_array().expect("a list");
    assert!(
        kinds.iter().all(|kind| kind["kind"] != "jobs.prune"),
        "chores are nobody's"
    );
    let extract = kinds.iter().find(|k| k["kind"] == "documents.extract");
    let extract = extract.expect("the kind");
    let counts = ["queued", "running", "dead"].map(|name| extract[name].as_i64());
    assert_eq!(counts, [Some(1), Some(1), Some(1)]);
    assert_eq!(extract["paused"], "company");
    let due: DateTime<Utc> = serde_json::from_value(extract["oldestDue"].clone()).expect("a time");
    assert!(due > oldest, "those that are taken and dead wait no longer");
    let elsewhere = bob.get("/api/jobs/summary").await.expect(200).json();
    let paused = elsewhere.as_array().expect("a list").iter();
    assert!(paused.clone().all(|kind| kind["paused"].is_null()));
}
