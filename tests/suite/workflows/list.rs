//! Finding workflows, and those that every company starts with.

use serde_json::{Value, json};
use tests::support::App;

use super::support::{WORKFLOWS, given, id, of_tasks, performed, workflow};

#[tokio::test(flavor = "multi_thread")]
async fn a_company_starts_with_two_workflows_and_those_it_deletes_stay_away() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let list = bob.get(WORKFLOWS).await.expect(200).json();
    let names: Vec<&str> = list
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["name"].as_str())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        list.as_array()
            .expect("a list")
            .iter()
            .all(|row| row["isDefault"] == true && row["visibility"] == "company")
    );
    let article = id(&list[0]);
    bob.delete(&format!("{WORKFLOWS}/{article}"))
        .await
        .expect_problem(403, "forbidden");
    ada.delete(&format!("{WORKFLOWS}/{article}"))
        .await
        .expect(204);
    let app_again = app.replica(tests::support::Options::default()).await;
    let after = bob.at(&app_again.url).get(WORKFLOWS).await.json();
    assert_eq!(after.as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_article_workflow_ends_in_a_report() {
    let app = App::start().await;
    let ada = app.register().await;
    let list = ada.get(WORKFLOWS).await.json();
    let article = list
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["tasks"].as_array().map(Vec::len) == Some(4));
    let tasks = &article.expect("the article's")["tasks"];
    let input =
        json!({"text": "Bees dance. They show where flowers are.", "image": null, "file": null});
    let execution = performed(&app, &ada, tasks, &input).await;
    assert_eq!(execution["status"], "completed", "{execution}");
    let report = of_tasks(&execution, "result").pop().expect("a report");
    let report = report.as_str().expect("text");
    assert!(
        report.starts_with("# Report") && report.ends_with("The article has 7 words."),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_paged_and_followed() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    for name in ["One 100%", "Two", "Three"] {
        let body =
            json!({"name": name, "tasks": [given("a", &json!(1), &[])], "visibility": "company"});
        bob.post(WORKFLOWS, &body).await.expect(201);
    }
    let own = bob.get(&format!("{WORKFLOWS}?owner=me&limit=2")).await;
    let names = |list: &Value| -> Vec<String> {
        let rows = list.as_array().expect("a list").iter();
        rows.map(|row| row["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(names(&own.json()), ["Three", "Two"]);
    let next = own.next_page().expect("another page").to_owned();
    assert_eq!(names(&bob.get(&next).await.json()), ["One 100%"]);
    assert_eq!(
        names(&ada.get(&format!("{WORKFLOWS}?q=100%25")).await.json()),
        ["One 100%"]
    );
    assert_eq!(
        names(&ada.get(&format!("{WORKFLOWS}?owner=me&q=TWO")).await.json()),
        [""; 0]
    );
    let since = own.json()[1]["updatedAt"]
        .as_str()
        .expect("a time")
        .to_owned();
    let changed = bob.get(&format!("{WORKFLOWS}?updatedSince={since}")).await;
    assert_eq!(names(&changed.json()), ["Two", "Three"]);
    bob.get(&format!("{WORKFLOWS}?state=x"))
        .await
        .expect_problem(400, "invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_workflow_is_nobody_elses() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let secret = workflow(&bob, &json!([given("a", &json!("secret"), &[])])).await;
    let path = format!("{WORKFLOWS}/{secret}");
    ada.get(&path).await.expect_problem(404, "not_found");
    ada.post_empty(&format!("{path}/execute"))
        .await
        .expect_problem(404, "not_found");
    bob.patch(&path, &json!({"visibility": "company"}))
        .await
        .expect(200);
    ada.get(&path).await.expect(200);
    ada.post_empty(&format!("{path}/execute")).await.expect(202);
    let list = ada.get("/api/executions").await.json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    // Executions belong to who started them.
    let foreign = format!("/api/executions/{}", id(&list[0]));
    bob.get(&foreign).await.expect_problem(404, "not_found");
}
