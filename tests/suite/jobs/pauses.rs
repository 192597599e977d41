//! Pauses of kinds: what an admin stops for the company, and what only the operator can.

use std::time::Duration;

use domain::{
    jobs::{JobId, JobKind, Lease, PauseNote},
    runs::RunId,
};
use serde_json::{Value, json};
use tests::support::{App, Client, database::Database};
use uuid::Uuid;

use super::{
    console::listed,
    support::{company, dispatched, enqueued, owned, upload},
};

const PAUSES: &str = "/api/jobs/pauses";
const EXTRACT: &str = "/api/jobs/pauses/documents.extract";

async fn kinds(client: &Client) -> Vec<Value> {
    let pauses = client.get(PAUSES).await.expect(200).json();
    pauses["kinds"].as_array().expect("a list").clone()
}

async fn status(client: &Client, document: &Value) -> Value {
    let path = format!("/api/documents/{}", document["id"].as_str().expect("an id"));
    client.get(&path).await.expect(200).json()["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_of_one_company_leaves_the_work_of_another_going() {
    let app = App::start().await;
    let (ada, bob) = (app.register().await, app.register().await);
    let paused = ada
        .put(EXTRACT, &json!({"note": "The disk is full."}))
        .await;
    let paused = paused.expect(200).json();
    let ours = upload(&ada, "a.txt", "Water is wet.").await;
    let theirs = upload(&bob, "a.txt", "Water is wet.").await;
    app.drain().await;
    assert_eq!(status(&ada, &ours).await, "pending");
    assert_eq!(status(&bob, &theirs).await, "completed");
    let job = &listed(&ada, "").await[0];
    assert_eq!(job["waitCode"], "paused");
    assert_eq!(
        job["waitReason"],
        "documents.extract is paused for its company"
    );

    assert_eq!(kinds(&ada).await, std::slice::from_ref(&paused));
    assert_eq!(
        (&paused["scope"], &paused["note"], &paused["pausedBy"]["id"]),
        (
            &"company".into(),
            &"The disk is full.".into(),
            &ada.id().into()
        )
    );
    assert!(kinds(&bob).await.is_empty());
    // Who cannot have paused it cannot resume it.
    bob.delete(EXTRACT).await.expect(204);
    assert_eq!(kinds(&ada).await.len(), 1);

    ada.delete(EXTRACT).await.expect(204);
    app.drain().await;
    assert_eq!(status(&ada, &ours).await, "completed");
    let log = ada
        .get("/api/audit?entity=jobPause")
        .await
        .expect(200)
        .json();
    let log = log.as_array().expect("a list");
    let acts: Vec<_> = log.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(acts, ["deleted", "created"]);
    assert_eq!(log[0]["actorId"], ada.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_pause_changes_the_note_and_not_who_paused_since_when() {
    let app = App::start().await;
    let ada = app.register().await;
    let grace = app.member(&ada, "admin").await;
    let first = ada.put(EXTRACT, &json!({})).await.expect(200).json();
    let second = grace.put(EXTRACT, &json!({"note": "Still."})).await;
    let second = second.expect(200).json();
    assert_eq!(second["pausedAt"], first["pausedAt"]);
    assert_eq!(second["pausedBy"]["id"], ada.id());
    assert_eq!(second["note"], "Still.");
    let refused = ada.put(EXTRACT, &json!({"note": "", "untill": 1})).await;
    assert_eq!(refused.faulty_fields().len(), 2, "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_paused_is_shown_and_stays() {
    let app = App::start().await;
    let ada = app.register().await;
    let mut conn = app.database().connect().await;
    let note: PauseNote = "Maintenance".parse().expect("a note");
    let paused = db::jobs::pause(&mut conn, JobKind::DocumentsExtract, Some(&note)).await;
    paused.expect("paused");
    let shown = kinds(&ada).await;
    assert_eq!(
        (&shown[0]["scope"], &shown[0]["note"], &shown[0]["pausedBy"]),
        (&"installation".into(), &"Maintenance".into(), &Value::Null)
    );
    ada.delete(EXTRACT).await.expect_problem(409, "conflict");
    assert_eq!(kinds(&ada).await.len(), 1);
    // One's own goes without touching the other.
    ada.put(EXTRACT, &json!({})).await.expect(200);
    ada.delete(EXTRACT).await.expect(204);
    assert_eq!(kinds(&ada).await.len(), 1);
    let chore = ada.put("/api/jobs/pauses/jobs.prune", &json!({})).await;
    chore.expect_problem(422, "invalid");
    let developer = app.member(&ada, "developer").await;
    developer
        .put(EXTRACT, &json!({}))
        .await
        .expect_problem(403, "forbidden");
}

#[tokio::test]
async fn nobody_makes_room_for_runs_of_a_paused_company_and_they_are_not_late() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let theirs = company(&database).await;
    let insert = format!(
        "INSERT INTO jobs (id, kind, company_id, fair_key, subject_id, args, max_attempts, run_at)
         VALUES (gen_random_uuid(), 'runs.lane', '{theirs}', '{theirs}', gen_random_uuid(), '{{}}', 8,
             now() - interval '1 hour')"
    );
    database.run(&insert).await;
    let lease = Lease {
        job_id: JobId::new(),
        token: Uuid::new_v4(),
    };
    let mut look = async || {
        let depths = db::jobs::depths(&mut conn).await.expect("depths");
        let waits = db::runs::lane::others_wait(&mut conn, lease, RunId::new()).await;
        (waits.expect("an answer"), depths[0].age_seconds > 3000.0)
    };
    assert_eq!(look().await, (true, true));
    let pause = format!(
        "INSERT INTO company_job_pauses (company_id, kind) VALUES ('{theirs}', 'runs.lane')"
    );
    database.run(&pause).await;
    assert_eq!(look().await, (false, false));
}

#[tokio::test]
async fn nothing_of_a_paused_company_is_handed_out_and_what_was_is_not_begun() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let (ours, theirs) = (company(&database).await, company(&database).await);
    let handed_out = enqueued(&mut conn, owned(ours, Uuid::now_v7())).await;
    assert_eq!(dispatched(&mut conn, 8).await.len(), 1);
    let kind = JobKind::DocumentsEmbed;
    let paused = db::jobs::pause_for(&mut conn, ours, kind, None, None).await;
    paused.expect("paused");
    let waiting = enqueued(&mut conn, owned(ours, Uuid::now_v7())).await;
    let other = enqueued(&mut conn, owned(theirs, Uuid::now_v7())).await;
    let picked = dispatched(&mut conn, 8).await;
    assert_eq!(
        picked.iter().map(|job| job.id).collect::<Vec<_>>(),
        [other.id]
    );
    // The message of the first may still arrive.
    let lease = Duration::from_secs(10);
    let begun = db::jobs::claim(&mut conn, handed_out.id, "w", lease).await;
    assert!(begun.expect("an answer").is_none());

    let was_paused = db::jobs::resume_for(&mut conn, ours, kind).await;
    assert!(was_paused.expect("resumed"));
    let mut picked: Vec<_> = dispatched(&mut conn, 8)
        .await
        .iter()
        .map(|job| job.id)
        .collect();
    picked.sort();
    assert_eq!(picked, [handed_out.id, waiting.id]);
}
