//! Documents in lists: page by page, and by what changed.

use diesel_async::SimpleAsyncConnection as _;
use serde_json::{Value, json};
use tests::support::App;

use super::{path_of, upload};

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_paged_without_gap_or_repetition() {
    let app = App::start().await;
    let ada = app.register().await;
    for n in 0..7 {
        upload(&ada, "a.txt", &format!("Number {n}.")).await;
    }
    let (mut path, mut seen) = ("/api/documents?limit=3".to_owned(), Vec::new());
    loop {
        let reply = ada.get(&path).await;
        seen.extend(reply.expect(200).json().as_array().expect("a list").clone());
        let Some(next) = reply.next_page() else { break };
        path = next.to_owned();
    }
    let all = ada.get("/api/documents").await.json();
    assert_eq!(Value::from(seen), all);
    ada.get(&path.replace("/api/documents", "/api/jobs"))
        .await
        .expect_problem(400, "invalid_query");
    ada.get("/api/documents?limit=0")
        .await
        .expect_problem(400, "invalid_query");
    ada.get("/api/documents?lmit=3")
        .await
        .expect_problem(400, "invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_for_changes_gives_what_changed_and_nothing_twice_over() {
    let app = App::start().await;
    let ada = app.register().await;
    upload(&ada, "a.txt", "First.").await;
    let second = upload(&ada, "b.txt", "Second.").await;
    let since = second["updatedAt"].as_str().expect("a time");
    let query = |since: &str| format!("/api/documents?updatedSince={since}");
    let changed = ada.get(&query(since)).await.json();
    assert_eq!(changed.as_array().map(Vec::len), Some(1), "{changed}");
    let renamed = ada
        .patch(&path_of(&second), &json!({"fileName": "c.txt"}))
        .await
        .json();
    let changed = ada
        .get(&query(renamed["updatedAt"].as_str().expect("a time")))
        .await
        .json();
    assert_eq!(changed[0]["fileName"], "c.txt");
    let underscored = ada
        .get(&query(since).replace("updatedSince", "updated_since"))
        .await
        .json();
    assert_eq!(underscored, changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_commits_late_is_not_missed_by_polling() {
    let app = App::start().await;
    let ada = app.register().await;
    let early = upload(&ada, "a.txt", "Slow to commit.").await;
    let mut slow = app.database().connect().await;
    slow.batch_execute("BEGIN; UPDATE documents SET file_name = 'late.txt'")
        .await
        .expect("an open change");
    upload(&ada, "b.txt", "Quick to commit.").await;
    let since = early["updatedAt"].as_str().expect("a time");
    let query = format!("/api/documents?updatedSince={since}");
    let during = ada.get(&query).await.json();
    let names = |list: &Value| -> Vec<String> {
        list.as_array()
            .expect("a list")
            .iter()
            .map(|d| d["fileName"].as_str().expect("a name").into())
            .collect()
    };
    assert_eq!(
        names(&during),
        ["a.txt"],
        "nothing newer than the open change is given yet"
    );
    slow.batch_execute("COMMIT").await.expect("a commit");
    assert_eq!(names(&ada.get(&query).await.json()), ["late.txt", "b.txt"]);
}
