//! Without Redis nobody gets in, and whoever is in stays.

use secrecy::SecretString;
use serde_json::json;
use tests::support::{
    App, Options,
    app::{PASSWORD, login},
    make,
};

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_sign_in_is_closed_and_reading_goes_on() {
    let app = App::start().await;
    let admin = app.register().await;
    // Nobody listens on port 1.
    let away = |config: &mut api::Config| {
        config.queue.redis_url = SecretString::from("redis://127.0.0.1:1/0");
    };
    let cut_off = app.replica(Options::with(away)).await;
    let anyone = cut_off.anonymous();
    let sign_in = anyone
        .post("/api/auth/login", &login(admin.email(), PASSWORD))
        .await;
    sign_in.expect_problem(503, "unavailable");
    assert!(sign_in.header("retry-after").is_some());
    let registration = make::registration();
    anyone
        .post("/api/auth/register", &registration)
        .await
        .expect_problem(503, "unavailable");
    let body = json!({ "refreshToken": admin.refresh_token() });
    anyone
        .post("/api/auth/refresh", &body)
        .await
        .expect_problem(503, "unavailable");
    let inside = admin.at(&cut_off.url);
    inside.get("/api/auth/me").await.expect(200);
    inside.get("/api/users").await.expect(200);
    inside
        .patch("/api/users/me", &json!({ "name": "Ada" }))
        .await
        .expect(200);
    // What was refused left nothing behind.
    app.anonymous()
        .post("/api/auth/register", &registration)
        .await
        .expect(201);
    app.anonymous()
        .post("/api/auth/refresh", &body)
        .await
        .expect(200);
}
