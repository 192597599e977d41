//! What all routes share: the form of faults, ids of requests, keys of services.

use secrecy::SecretString;
use tests::support::{App, Options, Reply, redact::redacted};

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_has_the_same_form() {
    let app = App::start().await;
    let admin = app.register().await;
    let reply = admin.get("/api/nothing").await;
    let mut problem = reply.expect_problem(404, "not_found");
    problem["requestId"].take();
    insta::assert_json_snapshot!(redacted(&problem), @r#"
    {
      "code": "not_found",
      "detail": "There is no such route. `/docs` lists all of them.",
      "message": "There is no such route. `/docs` lists all of them.",
      "requestId": null,
      "status": 404,
      "title": "Not found",
      "type": "urn:prompt-architect:problem:not_found"
    }
    "#);
    let reply = admin.delete("/api/users").await;
    reply.expect_problem(405, "method_not_allowed");
    assert_eq!(reply.header("allow"), Some("GET, POST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_is_named_as_such() {
    let app = App::start().await;
    let admin = app.register().await;
    let send = |kind: &'static str, body: &'static str| {
        let request = admin.request(reqwest::Method::POST, "/api/invitations");
        Reply::to(request.header("content-type", kind).body(body))
    };
    send("application/json", "")
        .await
        .expect_problem(400, "invalid_body");
    send("application/json", "{")
        .await
        .expect_problem(400, "invalid_body");
    send("text/plain", "{}")
        .await
        .expect_problem(415, "unsupported_type");
    let wrong_type = send("application/json", r#"{"email": 7, "role": "x"}"#).await;
    wrong_type.expect_problem(400, "invalid_body");
    assert_eq!(wrong_type.faulty_fields(), ["email", "role"]);
    let extra = r#"{"email": "a@example.com", "role": "lead", "viewState": {"open": true}}"#;
    send("application/json", extra).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_request_id_is_echoed_and_any_other_replaced() {
    let app = App::start().await;
    let plain = app
        .anonymous()
        .with("x-request-id", "0123-4567-89ab")
        .get("/api/auth/me")
        .await;
    assert_eq!(
        plain.expect_problem(401, "unauthenticated")["requestId"],
        "0123-4567-89ab"
    );
    let odd = app
        .anonymous()
        .with("x-request-id", "a b\"c{d}e")
        .get("/api/auth/me")
        .await;
    assert!(
        odd.header("x-request-id")
            .is_some_and(|id| id.parse::<uuid::Uuid>().is_ok())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_open_until_a_service_key_is_set() {
    let app = App::start().await;
    app.anonymous().get("/metrics").await.expect(200);
    let key = "a service key, of 32 characters at least";
    let set =
        move |config: &mut api::Config| config.accounts.service_key = Some(SecretString::from(key));
    let guarded = app.replica(Options::with(set)).await;
    guarded
        .anonymous()
        .get("/metrics")
        .await
        .expect_problem(401, "unauthenticated");
    let wrong = guarded.anonymous().with("x-service-key", "wrong");
    wrong
        .get("/metrics")
        .await
        .expect_problem(401, "unauthenticated");
    guarded
        .anonymous()
        .with("x-service-key", key)
        .get("/metrics")
        .await
        .expect(200);
}

#[test]
fn every_route_of_accounts_is_documented() {
    let document = api::document();
    for path in [
        "/api/auth/register",
        "/api/auth/login",
        "/api/auth/refresh",
        "/api/auth/logout",
        "/api/auth/logout-all",
        "/api/auth/sessions",
        "/api/auth/sessions/{id}",
        "/api/auth/me",
        "/api/auth/password",
        "/api/auth/events",
        "/api/sign-in-events",
        "/api/users",
        "/api/users/me",
        "/api/users/{id}",
        "/api/invitations",
        "/api/invitations/{id}",
        "/api/invitations/accept",
        "/api/api-keys",
        "/api/api-keys/{id}",
    ] {
        assert!(document.paths.paths.contains_key(path), "{path}");
    }
}
