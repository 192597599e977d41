//! The governor over several processes: what one is told binds all.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tests::{
    fakes::gemini::{Cue, FakeGemini, Options},
    support::App,
};

use super::fleet::{Fleet, Process, eventually};

const EMBED: &str = "batchEmbedContents";

/// Processes that call without pause, one call at a time among them all: a call that was under way
/// while another was refused would come early, and nobody could have known.
async fn four_at_work(fake: &FakeGemini) -> (Fleet, Vec<Process>) {
    let fleet = Fleet::new(fake)
        .set("GOVERNOR_CONCURRENCY", "1")
        // A limit that nobody meets, so that there is something to remember.
        .set("GEMINI_REQUESTS_PER_MINUTE", "1000000")
        .set("GOVERNOR_LEASE_SECONDS", "2")
        .set("GOVERNOR_PATIENCE_SECONDS", "2");
    let processes: Vec<_> = (0..4).map(|_| fleet.start(3)).collect();
    for process in &processes {
        eventually("each gets its turn", || process.count("ok") > 0).await;
    }
    (fleet, processes)
}

fn calls(fake: &FakeGemini) -> u64 {
    fake.counters().calls_of(EMBED)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_named_to_one_process_is_kept_by_all_and_then_work_goes_on() {
    let fake = FakeGemini::start().await;
    let (_fleet, processes) = four_at_work(&fake).await;
    // Beyond and within the patience of those who call.
    fake.script([
        Cue::rate_limited(2.5).after(20),
        Cue::rate_limited(1.2).after(40),
    ]);
    for refusals in 1..=2 {
        let refused = || fake.counters().answers.get(&429).copied();
        eventually("the refusal", || refused() == Some(refusals)).await;
        let at = calls(&fake);
        eventually("work goes on", || calls(&fake) > at + 10).await;
    }
    assert_eq!(fake.counters().early_calls, 0);
    for process in &processes {
        let so_far = process.count("ok");
        eventually("everywhere", || process.count("ok") > so_far).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_day_stops_all_processes_and_tells_all_until_when() {
    let fake = FakeGemini::start().await;
    let (_fleet, processes) = four_at_work(&fake).await;
    fake.script([Cue::day_spent()]);
    for process in &processes {
        eventually("each is told", || process.count("provider_quota_spent") > 0).await;
        let until = process.time_of("provider_quota_spent").expect("a time");
        let hours = (until - Utc::now()).num_hours();
        assert!((0..25).contains(&hours), "{until}");
        assert!(["07:00:00", "08:00:00"].contains(&until.format("%T").to_string().as_str()));
    }
    let counters = fake.counters();
    assert_eq!((counters.early_calls, counters.answers[&429]), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_gives_its_places_back() {
    let fake = FakeGemini::start().await;
    let fleet = Fleet::new(&fake)
        .set("GOVERNOR_CONCURRENCY", "3")
        .set("GOVERNOR_LEASE_SECONDS", "2")
        .set("GOVERNOR_PATIENCE_SECONDS", "0.2");
    fake.script([Cue::delay(600_000).times(3)]);
    let mut holder = fleet.start(3);
    eventually("it holds all places", || calls(&fake) == 3).await;
    let waiting = fleet.start(1);
    // Longer than a lease: a living process keeps its places.
    eventually("the other is turned away", || {
        waiting.count("provider_held") > 3
    })
    .await;
    assert_eq!(calls(&fake), 3);
    holder.kill();
    eventually("the other gets a place", || waiting.count("ok") > 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_a_process_keeps_to_its_own_limit_and_to_the_time_it_was_told() {
    let fake = FakeGemini::start_with(Options {
        latency: Duration::from_millis(20),
        ..Options::default()
    })
    .await;
    let fleet = Fleet::new(&fake).set("REDIS_URL", "redis://127.0.0.1:1/0");
    let process = fleet.start(8);
    eventually("calls go on", || process.count("ok") > 30).await;
    assert_eq!(fake.counters().concurrent_max, 2);
    drop(process);
    fake.reset();
    let alone = fleet.set("GOVERNOR_LOCAL_CONCURRENCY", "1").start(4);
    eventually("one at a time", || alone.count("ok") > 5).await;
    fake.script([Cue::rate_limited(2.0)]);
    let refused = || fake.counters().answers.contains_key(&429);
    eventually("the refusal", refused).await;
    let at = calls(&fake);
    eventually("work goes on", || calls(&fake) > at + 10).await;
    assert_eq!(fake.counters().early_calls, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgot_everything_is_told_again_by_whoever_knows() {
    let fake = FakeGemini::start().await;
    let (fleet, mut processes) = four_at_work(&fake).await;
    fleet.forget().await;
    for process in &processes {
        let so_far = process.count("ok");
        eventually("nobody minds", || process.count("ok") > so_far + 5).await;
    }
    // One that will know; the others might ask before they are told.
    processes.truncate(1);
    // A call that an ended process has still under way would take the refusal along with it.
    let so_far = processes[0].count("ok");
    eventually("its own calls", || processes[0].count("ok") > so_far + 20).await;
    fake.script([Cue::rate_limited(1.8)]);
    fleet.until_parked().await;
    fleet.forget().await;
    let at = calls(&fake);
    // Whoever waits for the time looks in now and then, and a new process learns it from Redis.
    fleet.until_parked().await;
    let newcomer = fleet.start(1);
    eventually("work goes on", || calls(&fake) > at + 10).await;
    assert_eq!(fake.counters().early_calls, 0);
    eventually("for the new one too", || newcomer.count("ok") > 0).await;
}

async fn upload(app: &App, text: &str) -> (tests::support::Client, Value) {
    let ada = app.register().await;
    let reply = ada
        .upload("/api/documents/upload", "a.txt", text.as_bytes(), &[])
        .await;
    let document = reply.expect(201).json();
    (ada, document)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_is_told_binds_every_search_and_the_next_worker() {
    let fake = FakeGemini::start().await;
    let (url, key) = (fake.url.clone(), "a-key-of-one-company");
    let gemini = move |config: &mut integrations::llm::gemini::GeminiConfig| {
        config.api_key = Some(key.into());
        config.base_url = url.parse().expect("an address");
    };
    let of_api = gemini.clone();
    let app = App::start_with(tests::support::Options::with(move |config| {
        of_api(&mut config.gateway.gemini);
    }))
    .await;
    let (ada, _) = upload(&app, "A text about lighthouses.").await;
    fake.script([Cue::day_spent()]);
    let worker = || app.worker_with(|config| gemini(&mut config.gateway.gemini));
    worker::drain(&worker()).await.expect("drained");
    assert_eq!(calls(&fake), 1);

    let jobs = ada.get("/api/jobs").await.expect(200).json();
    let waits = jobs
        .as_array()
        .expect("jobs")
        .iter()
        .find(|job| job["kind"] == "documents.embed")
        .expect("it waits");
    let reason = waits["waitReason"].as_str().expect("a reason");
    assert!(reason.contains("daily quota is spent until"), "{reason}");
    assert_eq!(waits["attempts"], 0);

    let question = |mode: &str| json!({ "query": "lighthouses", "mode": mode });
    let refused = ada.post("/api/search", &question("semantic")).await;
    refused.expect_problem(429, "too_many_requests");
    let after: u64 = refused
        .header("retry-after")
        .and_then(|seconds| seconds.parse().ok())
        .expect("seconds");
    assert!((1..=25 * 3600).contains(&after), "{after}");
    ada.post("/api/search", &question("keyword"))
        .await
        .expect(200);

    // Another worker, another process as far as the governor can tell, with the job due again.
    app.database()
        .run("UPDATE jobs SET run_at = clock_timestamp()")
        .await;
    worker::drain(&worker()).await.expect("drained");
    assert_eq!((calls(&fake), fake.counters().early_calls), (1, 0));
    let again: DateTime<Utc> = ada.get("/api/jobs").await.json()[0]["runAt"]
        .as_str()
        .and_then(|at| at.parse().ok())
        .expect("a time");
    assert!(again > Utc::now());

    // Another key is another lane.
    let new_key = app.worker_with(|config| {
        gemini(&mut config.gateway.gemini);
        config.gateway.gemini.api_key = Some("a-new-key".into());
    });
    app.database()
        .run("UPDATE jobs SET run_at = clock_timestamp()")
        .await;
    worker::drain(&new_key).await.expect("drained");
    assert_eq!(app.count("documents WHERE status = 'completed'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_key_is_not_hammered_by_a_queue() {
    let fake = FakeGemini::start().await;
    let fleet = Fleet::new(&fake).set("GEMINI_API_KEY", "bad-key");
    let processes = [fleet.start(1), fleet.start(1)];
    for process in &processes {
        eventually("the error is repeated", || {
            process.count("provider_unauthorized") > 50
        })
        .await;
    }
    // Both may have asked before either knew.
    assert!((1..=2).contains(&calls(&fake)), "{}", calls(&fake));
}
