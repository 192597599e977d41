//! Two servers and three workers behave as one.

use serde_json::{Value, json};
use tests::support::{App, Options};

use super::{
    delivery::AtWork,
    support::{eventually, upload},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_uploaded_through_one_server_is_found_through_the_other() {
    let one = App::start().await;
    let other = one.replica(Options::default()).await;
    let workers = [(); 3].map(|()| AtWork::start(one.worker()));
    let ada = one.register().await;
    let there = ada.at(&other.url);
    for number in 0..12 {
        let client = if number % 2 == 0 { &ada } else { &there };
        let text = format!("The secret of document {number} is quokka{number}.");
        upload(client, "a.txt", &text).await;
    }
    eventually("all are completed", async || {
        one.count("documents WHERE status = 'completed'").await == 12
    })
    .await;
    for number in 0..12 {
        let client = if number % 2 == 0 { &there } else { &ada };
        let question = json!({ "query": format!("quokka{number}"), "mode": "keyword" });
        let found = client
            .post("/api/search", &question)
            .await
            .expect(200)
            .json();
        let text = found["results"][0]["text"].as_str().expect("a passage");
        assert!(text.ends_with(&format!("quokka{number}.")), "{text}");
    }
    for worker in workers {
        worker.end().await;
    }
    assert_eq!(one.count("jobs WHERE attempts <> 1").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_made_through_one_server_is_seen_through_the_other_at_once() {
    let one = App::start().await;
    let other = one.replica(Options::default()).await;
    let ada = one.register().await;
    let there = ada.at(&other.url);
    for number in 0..10 {
        let (here, elsewhere) = if number % 2 == 0 {
            (&ada, &there)
        } else {
            (&there, &ada)
        };
        // Both have a copy of the profile before it changes.
        here.get("/api/users/me").await.expect(200);
        elsewhere.get("/api/users/me").await.expect(200);
        let name = format!("Ada {number}");
        here.patch("/api/users/me", &json!({ "name": name }))
            .await
            .expect(200);
        let seen: Value = elsewhere.get("/api/users/me").await.expect(200).json();
        assert_eq!(seen["user"]["name"], name);
    }
}
