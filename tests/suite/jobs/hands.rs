//! A person's hand on jobs: looking, retrying, giving up, pausing.

use chrono::Utc;
use db::jobs::{Laid, Selection};
use domain::{
    documents::{DocumentId, EmbedDocument},
    jobs::{JobKind, JobState},
};
use serde_json::Value;
use tests::support::{App, Client, database::Database};

use super::support::{dispatched, enqueued, rows, upload};

const DEAD: &str = "UPDATE jobs SET state = 'dead', attempts = 8, finished_at = clock_timestamp(),
    error_class = 'provider_overloaded', error_message = 'It was too much.'";

/// Retries all that is dead, and says how many that were.
async fn retried(conn: &mut db::Connection) -> usize {
    let laid = db::jobs::retry(conn, &Selection::default(), None, 100).await;
    let Laid { jobs, more } = laid.expect("a number");
    assert!(!more);
    jobs
}

async fn jobs(client: &Client, query: &str) -> Vec<Value> {
    let reply = client.get(&format!("/api/jobs{query}")).await;
    reply.expect(200).json().as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sees_why_each_job_waits() {
    let app = App::start().await;
    let ada = app.register().await;
    let mut conn = app.database().connect().await;
    let paused = JobKind::DocumentsExtract;
    db::jobs::pause(&mut conn, paused, None)
        .await
        .expect("paused");
    upload(&ada, "a.txt", "Water is wet.").await;
    let reason = async || jobs(&ada, "?state=queued").await[0]["waitReason"].clone();
    assert_eq!(reason().await, "documents.extract is paused");

    db::jobs::resume(&mut conn, paused).await.expect("resumed");
    super::support::eventually("the server hands it out", async || {
        reason().await == "waits for a worker: none that serves documents.extract is heard of"
    })
    .await;

    app.database()
        .run(
            "UPDATE jobs SET dispatched_at = NULL, run_at = '2031-01-01T00:00:00Z',
                 wait_reason = 'the provider''s daily quota is spent'",
        )
        .await;
    assert_eq!(reason().await, "the provider's daily quota is spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_filtered_paged_and_kept_from_other_companies() {
    let app = App::start().await;
    let ada = app.register().await;
    for number in 0..5 {
        upload(&ada, "a.txt", &format!("Text {number}.")).await;
    }
    app.drain().await;
    assert_eq!(jobs(&ada, "").await.len(), 10);
    assert_eq!(
        jobs(&ada, "?kind=documents.embed&state=done").await.len(),
        5
    );
    assert!(jobs(&ada, "?state=dead").await.is_empty());
    let first = ada.get("/api/jobs?limit=7").await;
    let second = ada.get(first.next_page().expect("a second page")).await;
    assert_eq!(second.expect(200).json().as_array().map(Vec::len), Some(3));
    assert!(second.next_page().is_none());

    assert!(jobs(&app.register().await, "").await.is_empty());
    let developer = app.member(&ada, "developer").await;
    developer
        .get("/api/jobs")
        .await
        .expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_that_is_retried_takes_its_document_along() {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.txt", "Water is wet.").await;
    app.database().run(DEAD).await;
    app.database()
        .run("UPDATE documents SET status = 'failed', error = 'x'")
        .await;
    let mut conn = app.database().connect().await;
    assert_eq!(retried(&mut conn).await, 1);
    let path = format!("/api/documents/{}", document["id"].as_str().expect("an id"));
    let reopened = ada.get(&path).await.json();
    assert_eq!(
        (&reopened["status"], &reopened["error"]),
        (&"processing".into(), &Value::Null)
    );
    app.drain().await;
    assert_eq!(ada.get(&path).await.json()["status"], "completed");
}

#[tokio::test]
async fn of_dead_jobs_for_the_same_row_one_is_retried_and_none_beside_a_living_one() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let document_id = DocumentId::new();
    let job = || {
        db::jobs::NewJob::new(&EmbedDocument {
            document_id,
            generation: 1,
        })
        .on(document_id.0)
    };
    enqueued(&mut conn, job()).await;
    database.run(DEAD).await;
    let newer = enqueued(&mut conn, job()).await;
    database.run(DEAD).await;
    assert_eq!(retried(&mut conn).await, 1);
    let states: Vec<_> = rows(&mut conn)
        .await
        .iter()
        .map(|row| (row.id, row.state))
        .collect();
    assert_eq!(states[1], (newer.id, JobState::Queued));
    assert_eq!(states[0].1, JobState::Dead);
    assert_eq!(retried(&mut conn).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_job_that_is_given_up_fails_its_document_and_never_runs() {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.txt", "Water is wet.").await;
    let mut conn = app.database().connect().await;
    let job = rows(&mut conn).await.pop().expect("a job");
    // Without a name only dead ones are given up.
    let mut which = Selection::default();
    let given_up = db::jobs::discard(&mut conn, &which, 9).await;
    assert_eq!(given_up.expect("a number").jobs, 0);
    which.ids = vec![job.id];
    let given_up = db::jobs::discard(&mut conn, &which, 9).await;
    assert_eq!(given_up.expect("a number").jobs, 1);
    assert_eq!(worker::drain(&app.worker()).await.expect("drained"), 0);
    let path = format!("/api/documents/{}", document["id"].as_str().expect("an id"));
    let failed = ada.get(&path).await.json();
    assert_eq!(failed["errorCode"], "discarded");
    // Its owner can start it again.
    ada.post_empty(&format!("{path}/reprocess"))
        .await
        .expect(202);
    app.drain().await;
    assert_eq!(ada.get(&path).await.json()["status"], "completed");
}

#[tokio::test]
async fn a_job_for_which_there_is_no_place_waits_for_its_turn() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    for name in ["a", "b"] {
        enqueued(&mut conn, super::support::chore(name)).await;
    }
    dispatched(&mut conn, 1).await;
    let reasons: Vec<_> = rows(&mut conn)
        .await
        .into_iter()
        .map(|row| row.wait_reason)
        .collect();
    let reasons: Vec<_> = reasons.iter().flatten().map(String::as_str).collect();
    let missing = "waits for a worker: none that serves documents.discard_file is heard of";
    assert_eq!(reasons, [missing, "waits for its turn"]);
    assert!(rows(&mut conn).await[0].dispatched_at <= Some(Utc::now()));
}
