//! Seeing and ending one's sessions.

use serde_json::Value;
use tests::support::{App, redact::redacted};

async fn sessions(client: &tests::support::Client) -> Vec<Value> {
    let reply = client.get("/api/auth/sessions").await;
    reply.expect(200).json().as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_their_sessions_and_ends_one() {
    let app = App::start().await;
    let admin = app.register().await;
    let elsewhere = app.sign_in(admin.email()).await;
    let listed = sessions(&admin).await;
    assert_eq!(listed.len(), 2);
    let current: Vec<_> = listed
        .iter()
        .filter(|session| session["current"] == true)
        .collect();
    assert_eq!(current.len(), 1);
    insta::assert_json_snapshot!(redacted(current[0]), @r#"
    {
      "createdAt": "[time]",
      "current": true,
      "expiresAt": "[time]",
      "id": "[id]",
      "ip": "127.0.0.1",
      "lastUsedAt": "[time]",
      "userAgent": ""
    }
    "#);
    let other = listed
        .iter()
        .find(|session| session["current"] == false)
        .expect("another");
    let path = format!(
        "/api/auth/sessions/{}",
        other["id"].as_str().expect("an id")
    );
    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.expect_problem(404, "not_found");
    elsewhere
        .get("/api/auth/me")
        .await
        .expect_problem(401, "unauthenticated");
    assert_eq!(sessions(&admin).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_ends_the_session_of_somebody_else() {
    let app = App::start().await;
    let (admin, stranger) = (app.register().await, app.register().await);
    let id = sessions(&admin).await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/api/auth/sessions/{id}");
    stranger
        .delete(&path)
        .await
        .expect_problem(404, "not_found");
    admin.get("/api/auth/me").await.expect(200);
    assert_eq!(sessions(&admin).await.len(), 1);
    stranger
        .delete("/api/auth/sessions/7")
        .await
        .expect_problem(400, "invalid_path");
}
