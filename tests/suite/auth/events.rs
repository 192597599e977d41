//! The record of what happened at the door, and paging through it.

use serde_json::Value;
use tests::support::{
    App, Client,
    app::{PASSWORD, login},
    redact::redacted,
};

async fn list(client: &Client, path: &str) -> Vec<Value> {
    client
        .get(path)
        .await
        .expect(200)
        .json()
        .as_array()
        .expect("a list")
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_sees_their_own_events_and_admins_those_of_their_company() {
    let app = App::start().await;
    let admin = app.register().await;
    let developer = app.member(&admin, "developer").await;
    app.register().await;
    let curl = app
        .anonymous()
        .with("user-agent", "curl/8")
        .with("x-forwarded-for", "6.6.6.6");
    curl.post("/api/auth/login", &login(developer.email(), "wrong"))
        .await
        .expect(401);
    let own = list(&developer, "/api/auth/events").await;
    insta::assert_json_snapshot!(redacted(&own[0]), { ".id" => "[number]" }, @r#"
    {
      "createdAt": "[time]",
      "email": "[email]",
      "id": "[number]",
      "ip": "127.0.0.1",
      "kind": "failed",
      "userAgent": "curl/8",
      "userId": "[id]"
    }
    "#);
    assert_eq!(own.len(), 2);
    let all = list(&admin, "/api/sign-in-events").await;
    let kinds: Vec<_> = all
        .iter()
        .map(|event| event["kind"].as_str().expect("a kind"))
        .collect();
    assert_eq!(kinds, ["failed", "signed_in", "registered"]);
    let path = format!("/api/sign-in-events?userId={}", admin.id());
    assert_eq!(list(&admin, &path).await.len(), 1);
    developer
        .get("/api/sign-in-events")
        .await
        .expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_without_gap_or_double() {
    let app = App::start().await;
    let admin = app.register().await;
    for _ in 0..6 {
        app.sign_in(admin.email()).await;
    }
    let whole = list(&admin, "/api/auth/events").await;
    assert_eq!(whole.len(), 7);
    let (mut pages, mut path) = (Vec::new(), "/api/auth/events?limit=3".to_owned());
    loop {
        let reply = admin.get(&path).await;
        pages.extend(reply.expect(200).json().as_array().expect("a list").clone());
        match reply.next_page() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(pages, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_good_for_its_own_list_only() {
    let app = App::start().await;
    let admin = app.register().await;
    app.sign_in(admin.email()).await;
    let reply = admin.get("/api/auth/events?limit=1").await;
    let next = reply.next_page().expect("a next page").to_owned();
    let (_, cursor) = next.split_once("cursor=").expect("a cursor");
    let elsewhere = [
        format!("/api/sign-in-events?cursor={cursor}"),
        "/api/auth/events?cursor=x".to_owned(),
        "/api/auth/events?limit=0".to_owned(),
        "/api/auth/events?limit=1001".to_owned(),
        "/api/auth/events?limit=many".to_owned(),
        "/api/auth/events?page=2".to_owned(),
    ];
    for path in elsewhere {
        admin.get(&path).await.expect_problem(400, "invalid_query");
    }
    let stranger = app.register().await;
    stranger
        .get(&next)
        .await
        .expect_problem(400, "invalid_query");
    admin.get(&next).await.expect(200);
    let body = login(admin.email(), PASSWORD);
    app.anonymous()
        .post("/api/auth/login", &body)
        .await
        .expect(200);
}
