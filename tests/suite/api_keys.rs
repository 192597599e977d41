//! Programs that call the API with a personal key.

use serde_json::{Value, json};
use tests::support::{App, Client, Options, redact::redacted};

async fn make_key(client: &Client, scopes: &[&str]) -> Value {
    let body = json!({ "name": "CI", "scopes": scopes });
    client.post("/api/api-keys", &body).await.expect(201).json()
}

fn text(key: &Value) -> &str {
    key["key"].as_str().expect("a key")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_acts_for_its_owner() {
    let app = App::start().await;
    let admin = app.register().await;
    let key = make_key(&admin, &["write", "read", "read"]).await;
    assert!(text(&key).starts_with("pak_"));
    assert!(text(&key).ends_with(key["lastFour"].as_str().expect("four characters")));
    let program = app.anonymous().bearing(text(&key));
    let me = program.get("/api/auth/me").await.expect(200).json();
    assert_eq!(me["user"]["id"], admin.id());
    let listed = admin.get("/api/api-keys").await.expect(200).json();
    assert!(listed[0]["lastUsedAt"].is_string());
    insta::assert_json_snapshot!(redacted(&listed), { "[].lastFour" => "[four]" }, @r#"
    [
      {
        "createdAt": "[time]",
        "expiresAt": null,
        "id": "[id]",
        "lastFour": "[four]",
        "lastUsedAt": "[time]",
        "name": "CI",
        "scopes": [
          "read",
          "write"
        ]
      }
    ]
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_reaches_as_far_as_its_scopes_and_its_owners_role() {
    let app = App::start().await;
    let admin = app.register().await;
    let bearing = |key: &Value| app.anonymous().bearing(text(key));
    let reader = bearing(&make_key(&admin, &["read"]).await);
    reader.get("/api/users").await.expect(200);
    let change = json!({ "name": "Ada" });
    reader
        .patch("/api/users/me", &change)
        .await
        .expect_problem(403, "forbidden");
    let writer = bearing(&make_key(&admin, &["write"]).await);
    writer.patch("/api/users/me", &change).await.expect(200);
    writer
        .get("/api/users")
        .await
        .expect_problem(403, "forbidden");
    let developer = app.member(&admin, "developer").await;
    let theirs = bearing(&make_key(&developer, &["read", "write", "run"]).await);
    theirs
        .get("/api/invitations")
        .await
        .expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_no_keys_and_changes_no_password() {
    let app = App::start().await;
    let admin = app.register().await;
    let key = make_key(&admin, &["read", "write", "run"]).await;
    let program = app.anonymous().bearing(text(&key));
    let body = json!({ "name": "more", "scopes": ["run"] });
    program
        .post("/api/api-keys", &body)
        .await
        .expect_problem(403, "forbidden");
    program
        .get("/api/api-keys")
        .await
        .expect_problem(403, "forbidden");
    program
        .get("/api/auth/sessions")
        .await
        .expect_problem(403, "forbidden");
    program
        .post_empty("/api/auth/logout-all")
        .await
        .expect_problem(403, "forbidden");
    let body = json!({ "currentPassword": "x", "newPassword": "x" });
    program
        .post("/api/auth/password", &body)
        .await
        .expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_at_once_by_every_server() {
    let app = App::start().await;
    let replica = app.replica(Options::default()).await;
    let (admin, stranger) = (app.register().await, app.register().await);
    let key = make_key(&admin, &["read"]).await;
    let program = app.anonymous().bearing(text(&key));
    program.get("/api/users").await.expect(200);
    program.at(&replica.url).get("/api/users").await.expect(200);
    let path = format!("/api/api-keys/{}", key["id"].as_str().expect("an id"));
    stranger
        .delete(&path)
        .await
        .expect_problem(404, "not_found");
    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.expect_problem(404, "not_found");
    program
        .get("/api/users")
        .await
        .expect_problem(401, "unauthenticated");
    program
        .at(&replica.url)
        .get("/api/users")
        .await
        .expect_problem(401, "unauthenticated");
    assert_eq!(
        admin.get("/api/api-keys").await.expect(200).json(),
        json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_key_is_refused_even_while_a_copy_is_cached() {
    let app = App::start().await;
    let admin = app.register().await;
    let soon = (chrono::Utc::now() + chrono::TimeDelta::hours(1)).to_rfc3339();
    let body = json!({ "name": "CI", "scopes": ["read"], "expiresAt": soon });
    let key = admin.post("/api/api-keys", &body).await.expect(201).json();
    let program = app.anonymous().bearing(text(&key));
    program.get("/api/users").await.expect(200);
    app.database()
        .run("UPDATE api_keys SET expires_at = now()")
        .await;
    app.expire("key:*").await;
    program
        .get("/api/users")
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_somebody_who_was_let_go_is_refused() {
    let app = App::start().await;
    let admin = app.register().await;
    let developer = app.member(&admin, "developer").await;
    let key = make_key(&developer, &["read"]).await;
    let program = app.anonymous().bearing(text(&key));
    program.get("/api/users").await.expect(200);
    let path = format!("/api/users/{}", developer.id());
    admin
        .patch(&path, &json!({ "isActive": false }))
        .await
        .expect(200);
    program
        .get("/api/users")
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_new_key_are_named() {
    let app = App::start().await;
    let admin = app.register().await;
    let make = async |body: Value| admin.post("/api/api-keys", &body).await;
    let reply = make(json!({ "name": "", "scopes": ["fly"] })).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["name", "scopes[0]"]);
    let reply = make(json!({ "name": "CI", "scopes": [] })).await;
    assert_eq!(reply.faulty_fields(), ["scopes"]);
    let past = json!({ "name": "CI", "scopes": ["read"], "expiresAt": "2020-01-01T00:00:00Z" });
    let reply = make(past).await;
    assert_eq!(reply.faulty_fields(), ["expiresAt"]);
}
