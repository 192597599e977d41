//! Going on with a session.

use serde_json::json;
use tests::support::{App, Client, Options, Reply};

async fn refresh(client: &Client, token: &str) -> Reply {
    client
        .post("/api/auth/refresh", &json!({ "refreshToken": token }))
        .await
}

fn token_of(reply: &Reply) -> String {
    reply.expect(200).json()["refreshToken"]
        .as_str()
        .expect("a token")
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session() {
    let app = App::start().await;
    let (admin, anyone) = (app.register().await, app.anonymous());
    let first = admin.refresh_token();
    let second = token_of(&refresh(&anyone, first).await);
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
    let kinds: Vec<_> = app
        .sign_in_events()
        .await
        .into_iter()
        .map(|event| event.0)
        .collect();
    assert_eq!(kinds, ["registered", "refreshed", "reuse_detected"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_refresh_at_once_exactly_one_wins() {
    let app = App::start().await;
    let replica = app.replica(Options::default()).await;
    for _ in 0..5 {
        let admin = app.register().await;
        let token = admin.refresh_token();
        let (here, there) = (app.anonymous(), replica.anonymous());
        let (one, other) = tokio::join!(refresh(&here, token), refresh(&there, token));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_for_sign_in_only_and_hidden_from_scripts() {
    let app = App::start().await;
    let admin = app.register().await;
    let reply = refresh(&app.anonymous(), admin.refresh_token()).await;
    let cookie = reply.header("set-cookie").expect("a cookie").to_owned();
    for part in [
        "HttpOnly",
        "SameSite=Strict",
        "Secure",
        "Path=/api/auth",
        "Max-Age=604800",
    ] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    let (pair, _) = cookie.split_once(';').expect("attributes");
    let browser = app.anonymous().with("cookie", pair);
    browser.post_empty("/api/auth/refresh").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_development_the_cookie_travels_over_plain_http() {
    let development = |config: &mut api::Config| {
        config.accounts.app_env = api::auth::settings::Environment::Development;
    };
    let app = App::start_with(Options::with(development)).await;
    let admin = app.register().await;
    let reply = refresh(&app.anonymous(), admin.refresh_token()).await;
    assert!(
        !reply
            .header("set-cookie")
            .expect("a cookie")
            .contains("Secure")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invented_token_is_refused_and_harms_nobody() {
    let app = App::start().await;
    let admin = app.register().await;
    let token = admin.refresh_token();
    let (session, _) = token.split_once('.').expect("a session");
    let invented = format!("{session}.{0}.{0}", "a".repeat(43));
    for text in ["", "x", invented.as_str()] {
        refresh(&app.anonymous(), text)
            .await
            .expect_problem(401, "unauthenticated");
    }
    app.anonymous()
        .post_empty("/api/auth/refresh")
        .await
        .expect_problem(401, "unauthenticated");
    refresh(&app.anonymous(), token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_expired_is_over() {
    let app = App::start().await;
    let admin = app.register().await;
    app.expire("session:*").await;
    let reply = refresh(&app.anonymous(), admin.refresh_token()).await;
    reply.expect_problem(401, "unauthenticated");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_stored_as_it_is() {
    use redis::AsyncCommands as _;
    let app = App::start().await;
    let admin = app.register().await;
    let mut redis = app.redis().await;
    let keys: Vec<String> = redis
        .keys(format!("{}:session:*", app.config.queue.redis_prefix))
        .await
        .expect("keys");
    assert_eq!(keys.len(), 1);
    let fields: Vec<String> = redis.hvals(&keys[0]).await.expect("a session");
    for secret in admin.refresh_token().split('.').skip(1) {
        assert!(
            fields.iter().all(|field| !field.contains(secret)),
            "{fields:?}"
        );
    }
    let life: i64 = redis.ttl(&keys[0]).await.expect("an expiry");
    assert!((604_700..=604_800).contains(&life), "{life}");
}
