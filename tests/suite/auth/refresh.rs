use serde_json::json;
use tests::support::{App, Client, Reply};

async fn refresh(client: &Client, token: &str) -> Reply {
    client
        .post("/api/auth/refresh", &json!({ "refreshToken": token }))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session() {
    let app = App::start().await;
    let (admin, anyone) = (app.register().await, app.anonymous());
    let first = admin.refresh_token();
    let second = refresh(&anyone, first).await.expect(200).json();
    let second = second["refreshToken"].as_str().expect("a token").to_owned();
    assert_ne!(first, second);
    refresh(&anyone, first)
        .await
        .expect_problem(401, "unauthenticated");
    refresh(&anyone, &second)
        .await
        .expect_problem(401, "unauthenticated");
    admin
        .get("/api/auth/me")
        .await
        .expect_problem(401, "unauthenticated");
}
