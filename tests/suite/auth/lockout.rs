//! Wrong passwords cost time, known account or not.

use serde_json::Value;
use tests::support::{
    App, Options, Reply,
    app::{PASSWORD, login},
    make,
};

async fn guess(app: &App, email: &str) -> Reply {
    app.anonymous()
        .post("/api/auth/login", &login(email, "a wrong one"))
        .await
}

/// What a caller can tell of an answer.
fn told(reply: &Reply) -> (u16, Value, bool) {
    let mut problem = reply.json();
    problem["requestId"].take();
    (reply.status, problem, reply.header("retry-after").is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fifth_wrong_password_locks_an_account_and_an_unknown_one_alike() {
    let app = App::start().await;
    let known = app.register().await.email().to_owned();
    let unknown = make::email();
    for _ in 0..5 {
        let answers = (guess(&app, &known).await, guess(&app, &unknown).await);
        answers.0.expect_problem(401, "bad_credentials");
        assert_eq!(told(&answers.0), told(&answers.1));
    }
    let right = app
        .anonymous()
        .post("/api/auth/login", &login(&known, PASSWORD))
        .await;
    right.expect_problem(429, "too_many_requests");
    let wait: u64 = right
        .header("retry-after")
        .expect("a wait")
        .parse()
        .expect("seconds");
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(told(&right), told(&guess(&app, &unknown).await));
    let events = app.sign_in_events().await;
    let of = |email: &str| -> Vec<String> {
        events
            .iter()
            .filter(|event| event.1 == email)
            .map(|event| event.0.clone())
            .collect()
    };
    assert_eq!(
        of(&known),
        [
            "registered",
            "failed",
            "failed",
            "failed",
            "failed",
            "failed",
            "locked"
        ]
    );
    assert_eq!(
        of(&unknown),
        ["failed", "failed", "failed", "failed", "failed", "locked"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_doubles_with_each_further_failure_and_ends_with_a_success() {
    let app = App::start().await;
    let email = app.register().await.email().to_owned();
    for _ in 0..5 {
        guess(&app, &email).await.expect(401);
    }
    app.expire("locked:*").await;
    guess(&app, &email).await.expect(401);
    let locked = guess(&app, &email).await;
    locked.expect_problem(429, "too_many_requests");
    let wait: u64 = locked
        .header("retry-after")
        .expect("a wait")
        .parse()
        .expect("seconds");
    assert!((31..=60).contains(&wait), "{wait}");
    app.expire("locked:*").await;
    app.sign_in(&email).await;
    for _ in 0..4 {
        guess(&app, &email).await.expect(401);
    }
    app.sign_in(&email).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_made_side_by_side_do_not_slip_past_the_count() {
    let app = App::start().await;
    let email = app.register().await.email().to_owned();
    let guesses = (0..20).map(|_| guess(&app, &email));
    let answers = futures::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|reply| reply.status == 401).count();
    assert_eq!(looked_at, 5);
    assert!(
        answers
            .iter()
            .all(|reply| matches!(reply.status, 401 | 429))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_wrong_passwords_lock_a_network_address() {
    let app = App::start_with(
        Options::with(|config| config.accounts.lockout_address_failures = 3)
            .and(|config| config.trusted_proxies = 1),
    )
    .await;
    let admin = app.register().await;
    let from = |ip: &str| app.anonymous().with("x-forwarded-for", ip);
    for _ in 0..3 {
        let reply = from("192.0.2.1")
            .post("/api/auth/login", &login(&make::email(), "x"))
            .await;
        reply.expect(401);
    }
    let body = login(admin.email(), PASSWORD);
    from("192.0.2.1")
        .post("/api/auth/login", &body)
        .await
        .expect_problem(429, "too_many_requests");
    from("192.0.2.2")
        .post("/api/auth/login", &body)
        .await
        .expect(200);
}
