//! What an access token is good for, and until when.

use secrecy::SecretString;
use serde_json::json;
use tests::support::{App, Options, app::JWT_KEY};

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_not_looked_at_before_the_caller_is_known() {
    let app = App::start().await;
    let anyone = app.anonymous();
    let reply = anyone.post("/api/users", &json!({ "role": 7 })).await;
    reply.expect_problem(401, "unauthenticated");
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    let large = "x".repeat(3 * 1024 * 1024);
    anyone
        .post("/api/users", &large)
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_or_foreign_token_is_refused() {
    let app = App::start().await;
    let admin = app.register().await;
    let other = |config: &mut api::Config| {
        config.accounts.jwt_keys =
            vec![SecretString::from("another key, of 32 characters at least")];
    };
    let elsewhere = app.replica(Options::with(other)).await;
    admin
        .at(&elsewhere.url)
        .get("/api/auth/me")
        .await
        .expect_problem(401, "unauthenticated");
    for token in [
        "",
        "x",
        "a.b.c",
        "pak_",
        "pak_0000000000000000000000000000000000000000000abcdef",
    ] {
        let reply = app.anonymous().bearing(token).get("/api/auth/me").await;
        reply.expect_problem(401, "unauthenticated");
    }
    let basic = app.anonymous().with("authorization", "Basic YTpi");
    basic
        .get("/api/auth/me")
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_signed_with_a_former_key_is_good_while_the_key_is_listed() {
    let app = App::start().await;
    let admin = app.register().await;
    let rotated = |config: &mut api::Config| {
        let new = SecretString::from("the next key, of 32 characters at least");
        config.accounts.jwt_keys = vec![new, SecretString::from(JWT_KEY)];
    };
    let rotated = app.replica(Options::with(rotated)).await;
    admin.at(&rotated.url).get("/api/auth/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_is_let_go_is_refused_at_once_by_every_server() {
    let app = App::start().await;
    let replica = app.replica(Options::default()).await;
    let admin = app.register().await;
    let developer = app.member(&admin, "developer").await;
    // Both servers know the profile now.
    developer.get("/api/auth/me").await.expect(200);
    developer
        .at(&replica.url)
        .get("/api/auth/me")
        .await
        .expect(200);
    let path = format!("/api/users/{}", developer.id());
    admin
        .patch(&path, &json!({ "isActive": false }))
        .await
        .expect(200);
    developer
        .get("/api/auth/me")
        .await
        .expect_problem(401, "unauthenticated");
    developer
        .at(&replica.url)
        .get("/api/auth/me")
        .await
        .expect_problem(401, "unauthenticated");
    let body = json!({ "refreshToken": developer.refresh_token() });
    let reply = app.anonymous().post("/api/auth/refresh", &body).await;
    reply.expect_problem(401, "unauthenticated");
    // Let back in, they have to sign in again.
    admin
        .patch(&path, &json!({ "isActive": true }))
        .await
        .expect(200);
    developer
        .get("/api/auth/me")
        .await
        .expect_problem(401, "unauthenticated");
    app.sign_in(developer.email())
        .await
        .get("/api/auth/me")
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_role_counts_from_the_next_request() {
    let app = App::start().await;
    let admin = app.register().await;
    let developer = app.member(&admin, "developer").await;
    developer
        .get("/api/invitations")
        .await
        .expect_problem(403, "forbidden");
    let path = format!("/api/users/{}", developer.id());
    admin
        .patch(&path, &json!({ "role": "admin" }))
        .await
        .expect(200);
    developer.get("/api/invitations").await.expect(200);
}
