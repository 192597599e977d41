//! How often somebody may ask.

use tests::support::{App, Options, app::login, make};

#[tokio::test(flavor = "multi_thread")]
async fn one_user_may_ask_only_so_often_in_a_minute() {
    let app = App::start_with(Options::with(|config| config.accounts.rate_limit_user = 3)).await;
    let (first, second) = (app.register().await, app.register().await);
    for _ in 0..3 {
        first.get("/api/auth/me").await.expect(200);
    }
    let reply = first.get("/api/auth/me").await;
    reply.expect_problem(429, "too_many_requests");
    let wait: u64 = reply
        .header("retry-after")
        .expect("a wait")
        .parse()
        .expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    second.get("/api/auth/me").await.expect(200);
    app.expire("limit:*").await;
    first.get("/api/auth/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_may_try_to_sign_in_only_so_often() {
    let app = App::start_with(Options::with(|config| {
        config.accounts.rate_limit_sign_in = 2;
    }))
    .await;
    for _ in 0..2 {
        let reply = app
            .anonymous()
            .post("/api/auth/login", &login(&make::email(), "x"))
            .await;
        reply.expect(401);
    }
    let reply = app
        .anonymous()
        .post("/api/auth/login", &login(&make::email(), "x"))
        .await;
    reply.expect_problem(429, "too_many_requests");
    app.anonymous().get("/healthz").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_address_counts_as_the_real_one() {
    let options = Options::with(|config| config.accounts.rate_limit_address = 2)
        .and(|config| config.trusted_proxies = 1);
    let app = App::start_with(options).await;
    // The proxy appends what it sees; what stands before that, the caller made up.
    for (made_up, status) in [("10.0.0.1", 401), ("10.0.0.2", 401), ("10.0.0.3", 429)] {
        let client = app
            .anonymous()
            .with("x-forwarded-for", &format!("{made_up}, 192.0.2.7"));
        client.get("/api/auth/me").await.expect(status);
    }
}
