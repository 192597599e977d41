//! Copies of prompts in Redis: quick, never in the way, and never older than promised.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use chrono::{TimeDelta, Utc};
use redis::AsyncCommands as _;
use secrecy::SecretString;
use serde_json::{Value, json};
use tests::support::{App, Options};

use super::support::{create, path_of, point, version};

/// Where the copies of a prompt lie.
fn shelf(app: &App, prompt: &Value) -> String {
    let id = prompt["id"].as_str().expect("an id");
    app.config.queue.key(&format!("prompt:{id}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_served_from_its_copy_for_an_hour_at_most() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = create(&ada, json!({})).await;
    let path = path_of(&prompt);
    ada.get(&path).await.expect(200);
    let mut redis = app.redis().await;
    let life: i64 = redis.pttl(shelf(&app, &prompt)).await.expect("a life");
    assert!((3_500_000..=3_600_000).contains(&life), "{life}");
    // Behind the program's back, so that only a copy can hide it.
    app.database()
        .run("UPDATE prompts SET title = 'Unheard of'")
        .await;
    assert_eq!(ada.get(&path).await.json()["title"], prompt["title"]);
    assert_eq!(
        ada.get(&path).await.header("etag"),
        ada.get(&path).await.header("etag")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_copy_is_kept_of_what_is_very_long_whichever_text_it_is() {
    let app = App::start().await;
    let ada = app.register().await;
    let wide = "é".repeat(150_000);
    let mut redis = app.redis().await;
    for (members, kept) in [
        (json!({"promptText": "e".repeat(200_000)}), true),
        (json!({"promptText": wide}), false),
        (json!({"notes": wide}), false),
        (json!({"exampleOutput": wide}), false),
        (
            json!({"sourceDocument": {"name": "a", "content": wide}}),
            false,
        ),
        (
            json!({"sflTenor": {"targetAudience": vec!["e".repeat(10_000); 30]}}),
            false,
        ),
    ] {
        let prompt = create(&ada, members).await;
        let path = path_of(&prompt);
        let one = version(&ada, &path).await;
        point(&ada, &path, "production", &one).await;
        for path in [path.clone(), format!("{path}?label=production")] {
            let read = ada.get(&path).await.expect(200).json();
            assert_eq!(read["promptText"], prompt["promptText"]);
        }
        let copies: usize = redis.hlen(shelf(&app, &prompt)).await.expect("a number");
        assert_eq!(copies, if kept { 2 } else { 0 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_redis_never_heard_of_is_seen_after_half_a_minute() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = create(&ada, json!({})).await;
    let path = path_of(&prompt);
    let one = version(&ada, &path).await;
    point(&ada, &path, "production", &one).await;
    let released = format!("{path}?label=production");
    for path in [&path, &released] {
        ada.get(path).await.expect(200);
    }
    // As if the program was killed between the commit and the forgetting.
    app.database()
        .run("UPDATE prompts SET title = 'Committed'")
        .await;
    age(&app, &prompt, TimeDelta::seconds(29)).await;
    assert_eq!(
        ada.get(&path).await.json()["title"],
        prompt["title"],
        "still believed"
    );
    age(&app, &prompt, TimeDelta::seconds(31)).await;
    for path in [&path, &released] {
        assert_eq!(ada.get(path).await.json()["title"], "Committed");
    }
    // What is confirmed is believed again.
    age(&app, &prompt, TimeDelta::seconds(31)).await;
    ada.get(&path).await.expect(200);
    app.database()
        .run("UPDATE prompts SET title = 'Again'")
        .await;
    assert_eq!(ada.get(&path).await.json()["title"], "Committed");
    age(&app, &prompt, TimeDelta::seconds(31)).await;
    app.database().run("DELETE FROM prompts").await;
    ada.get(&path).await.expect_problem(404, "not_found");
}

/// Makes all copies of a prompt so old.
async fn age(app: &App, prompt: &Value, by: TimeDelta) {
    let (mut redis, shelf) = (app.redis().await, shelf(app, prompt));
    let copies: Vec<(String, String)> = redis.hgetall(&shelf).await.expect("copies");
    assert!(!copies.is_empty());
    for (place, copy) in copies {
        let mut copy: Value = serde_json::from_str(&copy).expect("a copy");
        copy["seen_at"] = json!(Utc::now() - by);
        let _: () = redis
            .hset(&shelf, place, copy.to_string())
            .await
            .expect("aged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_has_answered_nobody_reads_what_was_before() {
    let app = App::start().await;
    let replica = app.replica(Options::default()).await;
    let ada = app.register().await;
    let prompt = create(&ada, json!({"title": "0"})).await;
    let path = path_of(&prompt);
    let (written, done) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let readers = (0..6).map(|n| {
        let (written, done, path) = (written.clone(), done.clone(), path.clone());
        let client = if n % 2 == 0 {
            ada.clone()
        } else {
            ada.at(&replica.url)
        };
        tokio::spawn(async move {
            let mut reads = 0;
            while !done.load(Ordering::SeqCst) {
                let before = written.load(Ordering::SeqCst);
                let read = client.get(&path).await.expect(200).json();
                let title: usize = read["title"]
                    .as_str()
                    .and_then(|t| t.parse().ok())
                    .expect("a number");
                assert!(title >= before, "read {title} after {before} was written");
                reads += 1;
            }
            reads
        })
    });
    let readers: Vec<_> = readers.collect();
    for n in 1..=60 {
        let client = if n % 3 == 0 {
            ada.at(&replica.url)
        } else {
            ada.clone()
        };
        client
            .patch(&path, &json!({"title": n.to_string()}))
            .await
            .expect(200);
        written.store(n, Ordering::SeqCst);
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        assert!(reader.await.expect("a reader") > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_shows_nothing_to_whom_the_row_would_not() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let stranger = app.register().await;
    let path = path_of(&create(&ada, json!({"visibility": "company"})).await);
    let one = version(&ada, &path).await;
    point(&ada, &path, "production", &one).await;
    for path in [path.clone(), format!("{path}?label=production")] {
        ada.get(&path).await.expect(200);
        bob.get(&path).await.expect(200);
        stranger.get(&path).await.expect_problem(404, "not_found");
    }
    ada.patch(&path, &json!({"visibility": "private"}))
        .await
        .expect(200);
    for path in [path.clone(), format!("{path}?label=production")] {
        ada.get(&path).await.expect(200);
        bob.get(&path).await.expect_problem(404, "not_found");
    }
    let unknown = stranger.get(&format!("{path}?label=none")).await;
    let known = stranger.get(&format!("{path}?label=production")).await;
    assert_eq!(unknown.json()["detail"], known.json()["detail"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_prompts_are_read_and_written_all_the_same() {
    let app = App::start().await;
    let ada = app.register().await;
    let away = |config: &mut api::Config| {
        config.queue.redis_url = SecretString::from("redis://127.0.0.1:1/0");
    };
    let cut_off = app.replica(Options::with(away)).await;
    let client = ada.at(&cut_off.url);
    let prompt = create(&client, json!({})).await;
    let path = path_of(&prompt);
    for n in 0..3 {
        let title = format!("Title {n}");
        client
            .patch(&path, &json!({ "title": title }))
            .await
            .expect(200);
        assert_eq!(client.get(&path).await.json()["title"], title);
    }
    let one = version(&client, &path).await;
    point(&client, &path, "production", &one).await;
    client
        .get(&format!("{path}?label=production"))
        .await
        .expect(200);
    client.delete(&path).await.expect(204);
}
