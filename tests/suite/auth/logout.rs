//! Signing out.

use serde_json::json;
use tests::support::{App, Options};

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_and_its_access_tokens_everywhere() {
    let app = App::start().await;
    let replica = app.replica(Options::default()).await;
    let admin = app.register().await;
    let elsewhere = app.sign_in(admin.email()).await;
    let reply = admin.post_empty("/api/auth/logout").await;
    reply.expect(204);
    assert!(
        reply
            .header("set-cookie")
            .expect("a cookie")
            .contains("Max-Age=0")
    );
    admin
        .get("/api/auth/me")
        .await
        .expect_problem(401, "unauthenticated");
    admin
        .at(&replica.url)
        .get("/api/auth/me")
        .await
        .expect_problem(401, "unauthenticated");
    let body = json!({ "refreshToken": admin.refresh_token() });
    app.anonymous()
        .post("/api/auth/refresh", &body)
        .await
        .expect_problem(401, "unauthenticated");
    elsewhere.get("/api/auth/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_alone_signs_out_too() {
    let app = App::start().await;
    let admin = app.register().await;
    let cookie = format!("refresh_token={}", admin.refresh_token());
    app.anonymous()
        .with("cookie", &cookie)
        .post_empty("/api/auth/logout")
        .await
        .expect(204);
    admin
        .get("/api/auth/me")
        .await
        .expect_problem(401, "unauthenticated");
    app.anonymous()
        .post_empty("/api/auth/logout")
        .await
        .expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_all_sessions_and_access_tokens() {
    let app = App::start().await;
    let replica = app.replica(Options::default()).await;
    let admin = app.register().await;
    let elsewhere = app.sign_in(admin.email()).await.at(&replica.url);
    elsewhere.get("/api/auth/me").await.expect(200);
    admin.post_empty("/api/auth/logout-all").await.expect(204);
    for client in [&admin, &elsewhere] {
        client
            .get("/api/auth/me")
            .await
            .expect_problem(401, "unauthenticated");
        let body = json!({ "refreshToken": client.refresh_token() });
        let reply = app.anonymous().post("/api/auth/refresh", &body).await;
        reply.expect_problem(401, "unauthenticated");
    }
    app.sign_in(admin.email())
        .await
        .get("/api/auth/me")
        .await
        .expect(200);
}
