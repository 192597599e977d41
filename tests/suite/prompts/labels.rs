//! Labels: one version each, moved whole, remembered.

use serde_json::{Value, json};
use tests::support::App;

use super::support::{create, path_of, point, version};

#[tokio::test(flavor = "multi_thread")]
async fn an_application_gets_the_released_version_while_the_prompt_is_worked_on() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({"promptText": "Released {{x}}."})).await);
    let one = version(&ada, &path).await;
    point(&ada, &path, "production", &one).await;
    ada.patch(&path, &json!({"promptText": "Draft as JSON."}))
        .await
        .expect(200);
    let released = format!("{path}?label=production");
    for _ in 0..2 {
        let reply = ada.get(&released).await;
        let prompt = reply.expect(200).json();
        assert_eq!(prompt["promptText"], "Released {{x}}.");
        assert_eq!(
            (&prompt["placeholders"], &prompt["expectedOutput"]),
            (&json!(["x"]), &json!("none"))
        );
        assert_eq!(
            (&prompt["promptVersionId"], &prompt["currentVersion"]),
            (&one["id"], &json!(1))
        );
        assert_eq!(prompt["labels"], json!(["production"]));
        let tag = reply.header("etag").expect("a tag");
        ada.with("if-none-match", tag)
            .get(&released)
            .await
            .expect(304);
    }
    let draft = ada.get(&path).await.json();
    assert_eq!(draft["promptText"], "Draft as JSON.");
    assert!(draft.get("promptVersionId").is_none());
    let two = version(&ada, &path).await;
    point(&ada, &path, "production", &two).await;
    assert_eq!(
        ada.get(&released).await.json()["promptText"],
        "Draft as JSON."
    );
    point(&ada, &path, "production", &one).await;
    assert_eq!(
        ada.get(&released).await.json()["promptText"],
        "Released {{x}}."
    );
    ada.get(&format!("{path}?label=staging"))
        .await
        .expect_problem(404, "not_found");
    ada.get(&format!("{path}?lable=production"))
        .await
        .expect_problem(400, "invalid_query");
    ada.delete(&format!("{path}/labels/production"))
        .await
        .expect(204);
    ada.get(&released).await.expect_problem(404, "not_found");
    ada.delete(&format!("{path}/labels/production"))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_move_is_remembered() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({})).await);
    let one = version(&ada, &path).await;
    ada.patch(&path, &json!({"promptText": "Two."}))
        .await
        .expect(200);
    let two = version(&ada, &path).await;
    point(&ada, &path, "staging", &one).await;
    point(&ada, &path, "staging", &two).await;
    // Where it points already: no move.
    point(&ada, &path, "staging", &two).await;
    ada.delete(&format!("{path}/labels/staging"))
        .await
        .expect(204);
    point(&ada, &path, "staging", &one).await;
    let history = format!("{path}/labels/staging/history");
    let moves = ada.get(&history).await.expect(200).json();
    let places = |moves: &Value| -> Vec<Value> {
        let moves = moves.as_array().expect("moves").iter();
        moves.map(|moved| moved["versionId"].clone()).collect()
    };
    let all = [
        one["id"].clone(),
        Value::Null,
        two["id"].clone(),
        one["id"].clone(),
    ];
    assert_eq!(places(&moves), all);
    assert!(moves[0]["movedAt"].is_string() && moves[0]["movedBy"] == ada.id());
    let page = ada.get(&format!("{history}?limit=3")).await;
    let rest = ada.get(page.next_page().expect("more")).await.json();
    assert_eq!(places(&rest), all[3..]);
    let labels = ada.get(&format!("{path}/labels")).await.expect(200).json();
    assert_eq!(labels.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&labels[0]["name"], &labels[0]["versionId"]),
        (&json!("staging"), &one["id"])
    );
    assert_eq!(ada.get(&path).await.json()["labels"], json!(["staging"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_survive_a_new_name_of_the_prompt() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({"promptText": "Old."})).await);
    let old = version(&ada, &path).await;
    point(&ada, &path, "production", &old).await;
    ada.patch(&path, &json!({"title": "New", "promptText": "New."}))
        .await
        .expect(200);
    version(&ada, &path).await;
    let released = ada.get(&format!("{path}?label=production")).await.json();
    assert_eq!(
        (&released["promptText"], &released["title"]),
        (&json!("Old."), &json!("New"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_points_at_versions_of_its_own_prompt_only() {
    let app = App::start().await;
    let ada = app.register().await;
    let (one, other) = (
        path_of(&create(&ada, json!({})).await),
        path_of(&create(&ada, json!({})).await),
    );
    let foreign = version(&ada, &other).await;
    let label = format!("{one}/labels/production");
    let body = json!({"versionId": foreign["id"]});
    ada.put(&label, &body)
        .await
        .expect_problem(404, "not_found");
    ada.put(&label, &json!({}))
        .await
        .expect_problem(422, "invalid");
    ada.put(&format!("{one}/labels/a%20b"), &body)
        .await
        .expect_problem(400, "invalid_path");
    let mine = version(&ada, &one).await;
    let body = json!({"versionId": mine["id"]});
    let stale = ada.with("if-match", "\"1\"").put(&label, &body).await;
    stale.expect_problem(412, "stale");
    assert_eq!(ada.get(&one).await.json()["labels"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_at_once_leave_one_place_and_a_history_without_gap() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({})).await);
    let mut versions = Vec::new();
    for n in 0..6 {
        ada.patch(&path, &json!({"promptText": format!("Text {n}.")}))
            .await
            .expect(200);
        versions.push(version(&ada, &path).await);
    }
    let moves = versions
        .iter()
        .map(|version| point(&ada, &path, "production", version));
    futures::future::join_all(moves).await;
    let history = ada
        .get(&format!("{path}/labels/production/history"))
        .await
        .json();
    let history = history.as_array().expect("moves");
    assert_eq!(history.len(), 6);
    let labels = ada.get(&format!("{path}/labels")).await.json();
    assert_eq!(
        labels[0]["versionId"], history[0]["versionId"],
        "the last move is where it points"
    );
    let released = ada.get(&format!("{path}?label=production")).await.json();
    assert_eq!(released["promptVersionId"], labels[0]["versionId"]);
    // Of two who both saw the same, one moves it.
    let tag = ada
        .get(&path)
        .await
        .header("etag")
        .expect("a tag")
        .to_owned();
    let seeing = ada.with("if-match", &tag);
    let label = format!("{path}/labels/production");
    let bodies: Vec<_> = versions
        .iter()
        .map(|version| json!({"versionId": version["id"]}))
        .collect();
    let others = bodies
        .iter()
        .filter(|body| body["versionId"] != labels[0]["versionId"]);
    let replies = futures::future::join_all(others.map(|body| seeing.put(&label, body))).await;
    let done = replies.iter().filter(|reply| reply.status == 200).count();
    let stale = replies.iter().filter(|reply| reply.status == 412).count();
    assert_eq!((done, stale), (1, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_has_at_most_fifty_labels() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({})).await);
    let one = version(&ada, &path).await;
    for number in 0..50 {
        point(&ada, &path, &format!("label-{number}"), &one).await;
    }
    let body = json!({"versionId": one["id"]});
    let refused = ada.put(&format!("{path}/labels/one-more"), &body).await;
    refused.expect_problem(422, "invalid");
    let moved = ada.put(&format!("{path}/labels/label-7"), &body).await;
    moved.expect(200);
}
