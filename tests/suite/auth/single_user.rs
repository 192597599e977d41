//! An installation without sign-in.

use api::auth::settings::Mode;
use clap::Parser;
use serde_json::json;
use tests::support::{App, Options, command_line::parsed, make};

fn single_user() -> Options {
    Options::with(|config| {
        config.accounts.auth_mode = Mode::SingleUser;
        config.accounts.jwt_keys.clear();
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_user_is_in_without_signing_in() {
    let app = App::start_with(single_user()).await;
    let me = app
        .anonymous()
        .get("/api/users/me")
        .await
        .expect(200)
        .json();
    assert_eq!(me["user"]["role"], "admin");
    assert_eq!(me["user"]["name"], "Local user");
    let reply = app
        .anonymous()
        .post("/api/auth/register", &make::registration())
        .await;
    reply.expect_problem(409, "conflict");
    let renamed = app
        .anonymous()
        .patch("/api/users/me", &json!({ "name": "Me" }))
        .await;
    renamed.expect(200);
    // A second start finds the user as they are.
    let again = app.replica(single_user()).await;
    let me = again
        .anonymous()
        .get("/api/users/me")
        .await
        .expect(200)
        .json();
    assert_eq!(me["user"]["name"], "Me");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_is_not_the_one_user() {
    let app = App::start_with(single_user()).await;
    for (name, value) in [
        ("host", "evil.example.com"),
        ("origin", "https://evil.example.com"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let page = app.anonymous().with(name, value);
        page.get("/api/users/me")
            .await
            .expect_problem(403, "forbidden");
    }
    app.anonymous()
        .with("origin", "http://localhost:5173")
        .get("/api/users/me")
        .await
        .expect(200);
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: api::Config,
}

fn faults(arguments: &[&str]) -> Vec<String> {
    let always = [
        "api",
        "--database-url=postgres://x/y",
        "--redis-url=redis://x",
        "--storage-url=file:///tmp",
    ];
    parsed::<Arguments>(always.iter().chain(arguments))
        .config
        .faults()
}

#[test]
fn single_user_mode_is_refused_unless_only_this_machine_reaches_it() {
    let with = |arguments: &[&str]| faults(&[&["--auth-mode=single-user"], arguments].concat());
    assert!(with(&[]).is_empty());
    assert_eq!(with(&["--api-bind=0.0.0.0:8080"]).len(), 1);
    assert_eq!(with(&["--trusted-proxies=1"]).len(), 1);
}

#[test]
fn every_fault_of_the_configuration_is_named_at_once() {
    let found = faults(&[
        "--jwt-keys=short",
        "--service-key=short",
        "--public-url=nonsense",
        "--cors-origins=https://app.example.com/path",
        "--rate-limit-user=0",
        "--lockout-first-seconds=7200",
    ]);
    for name in [
        "JWT_KEYS",
        "SERVICE_KEY",
        "PUBLIC_URL",
        "CORS_ORIGINS",
        "RATE_LIMIT_USER",
        "LOCKOUT_FIRST",
    ] {
        assert!(
            found.iter().any(|fault| fault.contains(name)),
            "{name}: {found:?}"
        );
    }
    assert_eq!(found.len(), 6);
    assert!(faults(&[])[0].starts_with("JWT_KEYS is missing"));
}
