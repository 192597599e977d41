//! Many jobs at once: dead letters by what they died of, retried at a rate or given up.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tests::support::{App, Client};

use super::{console::listed, support::upload};

const RETRY: &str = "/api/jobs/retry";
const DISCARD: &str = "/api/jobs/discard";

/// Has a company's waiting jobs die of this.
async fn die(app: &App, whose: &Client, class: &str) {
    let sql = format!(
        "UPDATE jobs SET state = 'dead', attempts = 8, finished_at = clock_timestamp(),
             error_class = '{class}', error_message = 'It was {class}.', dispatched_at = NULL
         WHERE state = 'queued'
           AND company_id = (SELECT company_id FROM users WHERE id = '{}')",
        whose.id()
    );
    app.database().run(&sql).await;
}

/// An admin with so many documents whose extraction died of this.
async fn with_dead(app: &App, class: &str, count: usize) -> Client {
    let ada = app.register().await;
    for number in 0..count {
        upload(&ada, "a.txt", &format!("{class} {number}.")).await;
    }
    die(app, &ada, class).await;
    ada
}

/// When jobs that wait are due, in order.
async fn due(client: &Client) -> Vec<DateTime<Utc>> {
    let jobs = listed(client, "?state=queued").await.into_iter();
    let times = jobs.map(|job| serde_json::from_value(job["runAt"].clone()).expect("a time"));
    let mut times: Vec<_> = times.collect();
    times.sort();
    times
}

async fn acts(client: &Client) -> Vec<Value> {
    let reply = client.get("/api/audit?entity=job").await;
    let list = reply.expect(200).json();
    list.as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_grouped_by_kind_and_class_with_the_newest_for_an_example() {
    let app = App::start().await;
    let ada = with_dead(&app, "disk_full", 2).await;
    upload(&ada, "b.txt", "Another.").await;
    die(&app, &ada, "worker_lost").await;
    with_dead(&app, "disk_full", 1).await;
    let groups = ada.get("/api/jobs/dead").await.expect(200).json();
    let groups = groups.as_array().expect("a list");
    let of = |group: &Value| (group["errorClass"].clone(), group["jobs"].clone());
    assert_eq!(
        groups.iter().map(of).collect::<Vec<_>>(),
        [
            ("disk_full".into(), 2.into()),
            ("worker_lost".into(), 1.into())
        ]
    );
    assert_eq!(groups[0]["kind"], "documents.extract");
    assert_eq!(groups[0]["example"], "It was disk_full.");
    let newest = &listed(&ada, "?errorClass=disk_full").await[0];
    assert_eq!(groups[0]["exampleId"], newest["id"]);
    assert_eq!(groups[0]["newest"], newest["finishedAt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_spreads_what_is_retried_and_holds_from_one_call_to_the_next() {
    let app = App::start().await;
    let ada = with_dead(&app, "disk_full", 5).await;
    upload(&ada, "b.txt", "Another.").await;
    die(&app, &ada, "worker_lost").await;
    let body = json!({"kind": "documents.extract", "errorClass": "disk_full", "perSecond": 2});
    let laid = ada.post(RETRY, &body).await.expect(202).json();
    assert_eq!(laid, json!({"jobs": 5, "more": false}));
    let steps = |times: &[DateTime<Utc>]| -> Vec<i64> {
        let first = times[0];
        times
            .iter()
            .map(|time| (*time - first).num_milliseconds())
            .collect()
    };
    assert_eq!(steps(&due(&ada).await), [0, 500, 1000, 1500, 2000]);
    let later = listed(&ada, "?state=queued").await;
    let codes = later.iter().filter(|job| job["waitCode"] == "scheduled");
    assert!(codes.count() >= 1, "{later:?}");

    // Whatever died since comes behind them.
    let body = json!({"kind": "documents.extract", "perSecond": 2});
    ada.post(RETRY, &body).await.expect(202);
    let times = due(&ada).await;
    assert_eq!(steps(&times)[5..], [2500]);
    assert!(times[0] <= Utc::now() && times[5] > Utc::now() - TimeDelta::minutes(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_admins_who_retry_at_once_count_once_and_it_is_entered_once() {
    let app = App::start().await;
    let ada = with_dead(&app, "disk_full", 4).await;
    let grace = app.member(&ada, "admin").await;
    let stranger = with_dead(&app, "disk_full", 1).await;
    let body = json!({"errorClass": "disk_full"});
    let (one, other) = tokio::join!(ada.post(RETRY, &body), grace.post(RETRY, &body));
    let counted = [one, other].map(|reply| reply.expect(202).json()["jobs"].as_i64());
    assert_eq!(counted.iter().flatten().sum::<i64>(), 4, "{counted:?}");
    assert!(counted.contains(&Some(0)), "one after the other");
    assert!(
        listed(&ada, "?state=dead").await.is_empty()
            && listed(&stranger, "?state=dead").await.len() == 1
    );
    let acts = acts(&ada).await;
    assert_eq!(acts.len(), 1);
    assert_eq!(acts[0]["after"]["act"], "retry");
    assert_eq!(acts[0]["after"]["jobs"], 4);
    assert_eq!(acts[0]["after"]["ids"].as_array().map(Vec::len), Some(4));
    let who = acts[0]["actorId"].as_str().expect("a person");
    assert!([ada.id(), grace.id()].contains(&who));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_retried_and_given_up_by_id_and_those_of_others_are_not_touched() {
    let app = App::start().await;
    let ada = with_dead(&app, "disk_full", 2).await;
    let stranger = with_dead(&app, "disk_full", 1).await;
    let id =
        async |client: &Client, at: usize| listed(client, "?state=dead").await[at]["id"].clone();
    let ids = [id(&ada, 0).await, id(&stranger, 0).await];
    let laid = ada.post(RETRY, &json!({ "ids": ids })).await;
    assert_eq!(laid.expect(202).json()["jobs"], 1);
    let ids = [id(&ada, 0).await, id(&stranger, 0).await];
    let laid = ada.post(DISCARD, &json!({ "ids": ids })).await;
    assert_eq!(laid.expect(200).json(), json!({"jobs": 1, "more": false}));
    assert_eq!(listed(&stranger, "?state=dead").await.len(), 1);
    let acts = acts(&ada).await;
    let told: Vec<_> = acts.iter().map(|act| &act["after"]["act"]).collect();
    assert_eq!(told, ["discard", "retry"]);
    assert_eq!(acts[0]["entityId"], ids[0], "one job is named by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_names_no_jobs_is_told_every_fault_at_once() {
    let app = App::start().await;
    let ada = with_dead(&app, "disk_full", 1).await;
    let reply = ada.post(RETRY, &json!({"perSecond": 0})).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["ids", "perSecond"]);
    let none = json!({"ids": [], "kind": "documents.extract"});
    for path in [RETRY, DISCARD] {
        let reply = ada.post(path, &none).await;
        reply.expect_problem(422, "invalid");
        assert_eq!(reply.faulty_fields(), ["ids"]);
    }
    let wrong = json!({"kind": "documents.unknown", "errorClass": "Disk Full"});
    let reply = ada.post(DISCARD, &wrong).await;
    assert_eq!(reply.faulty_fields(), ["errorClass", "kind"]);
    assert_eq!(listed(&ada, "?state=dead").await.len(), 1);
    assert!(
        acts(&ada).await.is_empty(),
        "what changes nothing is no act"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_once_are_the_most_and_it_is_said_that_there_are_more() {
    let app = App::start().await;
    let ada = app.register().await;
    let sql = format!(
        "INSERT INTO jobs (id, kind, company_id, fair_key, args, max_attempts, state, error_class, run_at)
         SELECT gen_random_uuid(), 'documents.embed', u.company_id, u.id, '{{}}', 8, 'dead', 'disk_full', now()
         FROM users u, generate_series(1, 1001) WHERE u.id = '{}'",
        ada.id()
    );
    app.database().run(&sql).await;
    let body = json!({"errorClass": "disk_full"});
    let laid = async || ada.post(DISCARD, &body).await.expect(200).json();
    assert_eq!(laid().await, json!({"jobs": 1000, "more": true}));
    assert_eq!(laid().await, json!({"jobs": 1, "more": false}));
    assert_eq!(acts(&ada).await[1]["after"]["ids"], Value::Null);
    assert_eq!(acts(&ada).await[1]["after"]["jobs"], 1000);
}
