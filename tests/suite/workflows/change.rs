//! Writing workflows: what is not sent stays, and what is wrong is told at once.

use serde_json::json;
use tests::support::App;

use super::support::{WORKFLOWS, asked, given, id};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sent_stays_as_it_is() {
    let app = App::start().await;
    let ada = app.register().await;
    let whole = json!({
        "name": "Whole", "description": "All of it", "isTesting": true,
        "tasks": [given("a", &json!({"deep": [1, null, "x"]}), &[]), asked("b", "{{a}}", &["a"])],
        "graphData": {"zoom": 0.5, "nodes": [{"id": "a", "x": 1.25}]},
    });
    let made = ada.post(WORKFLOWS, &whole).await.expect(201).json();
    for member in ["name", "description", "graphData"] {
        assert_eq!(made[member], whole[member], "{member}");
    }
    assert_eq!(
        made["tasks"][0]["staticValue"],
        whole["tasks"][0]["staticValue"]
    );
    let path = format!("{WORKFLOWS}/{}", id(&made));
    for change in [
        json!({"name": "Renamed"}),
        json!({"description": "Less"}),
        json!({"graph_data": null}),
        json!({"visibility": "company"}),
    ] {
        let before = ada.get(&path).await.json();
        let after = ada.put(&path, &change).await.expect(200).json();
        for (member, value) in before.as_object().expect("an object") {
            let is_changed =
                change.get(member).is_some() || member == "updatedAt" || member == "graphData";
            assert!(
                is_changed || after[member] == *value,
                "{member} after {change}"
            );
        }
    }
    let after = ada.get(&path).await.json();
    assert_eq!(
        (after["name"].as_str(), after.get("graphData")),
        (Some("Renamed"), None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canvas_may_hold_the_tasks_and_a_put_may_create() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let canvas = json!({"name": "Drawn", "graph_data": {"tasks": [given("a", &json!(1), &[])]}});
    let new = format!("{WORKFLOWS}/{}", uuid::Uuid::now_v7());
    let made = ada.put(&new, &canvas).await.expect(201).json();
    assert_eq!(made["tasks"][0]["id"], "a");
    assert_eq!(made["graphData"], canvas["graph_data"]);
    bob.put(&new, &canvas)
        .await
        .expect_problem(404, "not_found");
    let faulty = json!({"name": "Drawn", "graph_data": {"tasks": [{"id": "ä"}]}});
    let reply = ada.put(&new, &faulty).await;
    assert!(
        reply
            .faulty_fields()
            .contains(&"graphData.tasks[0].id".to_owned()),
        "{}",
        reply.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_told_at_once_and_nothing_is_kept() {
    let app = App::start().await;
    let ada = app.register().await;
    let before = ada.get(WORKFLOWS).await.json();
    let faulty = json!({"name": "", "tasks": [
        {"id": "a b", "name": "", "type": "GUESS", "outputKey": "x y", "inputKeys": ["a..b"], "promptId": "p-1"},
        {"id": "ok", "name": "n", "type": "DATA_INPUT"},
    ]});
    let mut fields = ada.post(WORKFLOWS, &faulty).await.faulty_fields();
    fields.sort();
    assert_eq!(
        fields,
        [
            "name",
            "tasks[0].id",
            "tasks[0].inputKeys[0]",
            "tasks[0].name",
            "tasks[0].outputKey",
            "tasks[0].promptId",
            "tasks[0].type",
            "tasks[1].outputKey"
        ]
    );
    let cycle = json!({"name": "Round", "tasks": [given("a", &json!(1), &["c"]), given("b", &json!(1), &["a"]), given("c", &json!(1), &["b"])]});
    let problem = ada
        .post(WORKFLOWS, &cycle)
        .await
        .expect_problem(422, "invalid");
    assert_eq!(problem["errors"][0]["field"], "tasks");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|text| text.contains("b → c → a → b")),
        "{problem}"
    );
    ada.post(WORKFLOWS, &json!({}))
        .await
        .expect_problem(422, "invalid");
    ada.post(WORKFLOWS, &json!({"name": "x", "tasks": []}))
        .await
        .expect_problem(422, "invalid");
    let nul = json!({"name": "x", "tasks": [given("a", &json!({"k\0": 1}), &[])]});
    assert_eq!(
        ada.post(WORKFLOWS, &nul).await.faulty_fields(),
        ["tasks[0].staticValue"]
    );
    assert_eq!(ada.get(WORKFLOWS).await.json(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_to_another_revision_is_refused() {
    let app = App::start().await;
    let ada = app.register().await;
    let body = json!({"name": "One", "tasks": [given("a", &json!(1), &[])]});
    let made = ada.post(WORKFLOWS, &body).await;
    let (tag, path) = (
        made.header("etag").expect("a tag").to_owned(),
        format!("{WORKFLOWS}/{}", id(&made.json())),
    );
    ada.patch(&path, &json!({"name": "Two"})).await.expect(200);
    let stale = ada.with("if-match", &tag);
    stale
        .patch(&path, &json!({"name": "Three"}))
        .await
        .expect_problem(412, "stale");
    stale.delete(&path).await.expect_problem(412, "stale");
    ada.delete(&path).await.expect(204);
    ada.get(&path).await.expect_problem(404, "not_found");
}
