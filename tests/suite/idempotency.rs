//! Sending a request again without doing it again.

use serde_json::{Value, json};
use tests::support::{App, Client, make};

const PATH: &str = "/api/api-keys";

fn body(name: &str) -> Value {
    json!({ "name": name, "scopes": ["read"] })
}

async fn keys_of(client: &Client) -> usize {
    client
        .get(PATH)
        .await
        .expect(200)
        .json()
        .as_array()
        .map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_gets_the_first_answer_again() {
    let app = App::start().await;
    let admin = app.register().await;
    let keyed = admin.with("idempotency-key", "7c5e");
    let first = keyed.post(PATH, &body("CI")).await;
    let again = keyed.post(PATH, &body("CI")).await;
    assert_eq!(first.expect(201).json(), again.expect(201).json());
    assert_eq!(first.header("content-type"), again.header("content-type"));
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        (None, Some("true"))
    );
    assert_eq!(keys_of(&admin).await, 1);
    // Nothing in the database gives the secret away.
    let secret = first.json()["key"].as_str().expect("a key").to_owned();
    let sql = format!(
        "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM idempotency_keys WHERE position('{secret}'::bytea IN answer) > 0 OR key LIKE '%7c5e%'); END $$"
    );
    app.database().run(&sql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_with_the_same_key_is_refused() {
    let app = App::start().await;
    let (admin, stranger) = (app.register().await, app.register().await);
    let key = ("idempotency-key", "7c5e");
    let keyed = admin.with(key.0, key.1);
    keyed.post(PATH, &body("CI")).await.expect(201);
    keyed
        .post(PATH, &body("other"))
        .await
        .expect_problem(409, "idempotency_mismatch");
    let elsewhere = keyed.post("/api/users", &body("CI")).await;
    elsewhere.expect_problem(409, "idempotency_mismatch");
    stranger
        .with(key.0, key.1)
        .post(PATH, &body("other"))
        .await
        .expect(201);
    admin.post(PATH, &body("CI")).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_arrive_at_once_one_is_done() {
    let app = App::start().await;
    let admin = app.register().await;
    let keyed = admin.with("idempotency-key", "7c5e");
    let one = body("CI");
    let replies = futures::future::join_all((0..8).map(|_| keyed.post(PATH, &one))).await;
    for reply in &replies {
        assert!(matches!(reply.status, 201 | 409), "{}", reply.text());
        if reply.status == 409 {
            reply.expect_problem(409, "conflict");
            assert!(reply.header("retry-after").is_some());
        }
    }
    assert!(replies.iter().any(|reply| reply.status == 201));
    assert_eq!(keys_of(&admin).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_first_request_gives_way_after_a_minute() {
    let app = App::start().await;
    let admin = app.register().await;
    let keyed = admin.with("idempotency-key", "7c5e");
    keyed.post(PATH, &body("CI")).await.expect(201);
    // As if the process had died before it answered.
    app.database()
        .run("UPDATE idempotency_keys SET status = NULL, answer = NULL")
        .await;
    keyed
        .post(PATH, &body("CI"))
        .await
        .expect_problem(409, "conflict");
    app.database()
        .run("UPDATE idempotency_keys SET created_at = now() - interval '61 seconds'")
        .await;
    keyed
        .post(PATH, &body("other"))
        .await
        .expect_problem(409, "idempotency_mismatch");
    keyed.post(PATH, &body("CI")).await.expect(201);
    assert_eq!(keys_of(&admin).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_kept_for_a_day() {
    let app = App::start().await;
    let admin = app.register().await;
    let keyed = admin.with("idempotency-key", "7c5e");
    keyed.post(PATH, &body("CI")).await.expect(201);
    app.database()
        .run("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
        .await;
    keyed.post(PATH, &body("other")).await.expect(201);
    assert_eq!(keys_of(&admin).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_repeated_too_and_a_bad_key_is_named() {
    let app = App::start().await;
    let admin = app.register().await;
    let keyed = admin.with("idempotency-key", "7c5e");
    let user = make::member("developer");
    admin.post("/api/users", &user).await.expect(201);
    let first = keyed
        .post("/api/users", &user)
        .await
        .expect_problem(409, "conflict");
    let again = keyed.post("/api/users", &user).await;
    assert_eq!(again.expect(409).json()["detail"], first["detail"]);
    let spaced = admin.with("idempotency-key", "a key");
    spaced
        .post(PATH, &body("CI"))
        .await
        .expect_problem(400, "invalid_header");
    let long = admin.with("idempotency-key", &"x".repeat(256));
    long.post(PATH, &body("CI"))
        .await
        .expect_problem(400, "invalid_header");
    let large = json!({ "name": "x".repeat(3 * 1024 * 1024) });
    admin
        .with("idempotency-key", "l")
        .post(PATH, &large)
        .await
        .expect_problem(413, "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_known_by_its_bytes_and_not_by_a_key() {
    let app = App::start().await;
    let admin = app.register().await;
    let keyed = admin.with("idempotency-key", "7c5e");
    let upload = async |text: &'static str| {
        keyed
            .upload("/api/documents/upload", "notes.txt", text.as_bytes(), &[])
            .await
    };
    let first = upload("Water is wet.").await;
    let again = upload("Water is wet.").await;
    assert_eq!(
        first.expect(201).json()["id"],
        again.expect(200).json()["id"]
    );
    let other = upload("Stone is dry.").await;
    assert_ne!(first.json()["id"], other.expect(201).json()["id"]);
}
