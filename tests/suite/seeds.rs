//! Example data for development.

use api::seed::{Seed, run};
use tests::support::{App, app::login};

fn seed(app: &App, force: bool) -> Seed {
    let password = "example-Otter-2024".to_owned().into();
    Seed {
        app_env: api::auth::settings::Environment::Production,
        password,
        force,
        db: app.config.db.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn seeding_twice_adds_once() {
    let app = App::start().await;
    let added = run(&seed(&app, false)).await.expect("seeded");
    assert_eq!(added.len(), 13, "{added:?}");
    assert!(run(&seed(&app, false)).await.expect("seeded").is_empty());
    for role in ["admin", "lead", "developer", "requester"] {
        let body = login(&format!("{role}@example.com"), "example-Otter-2024");
        let reply = app.anonymous().post("/api/auth/login", &body).await;
        assert_eq!(reply.expect(200).json()["user"]["role"], role);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_prompts_are_everybodys_and_one_is_released() {
    let app = App::start().await;
    run(&seed(&app, false)).await.expect("seeded");
    let body = login("lead@example.com", "example-Otter-2024");
    let reply = app.anonymous().post("/api/auth/login", &body).await;
    let lead = app.anonymous().signed_in(&reply.json());
    let prompts = lead.get("/api/prompts").await.expect(200).json();
    assert_eq!(prompts.as_array().map(Vec::len), Some(3), "{prompts}");
    let released = lead.get("/api/prompts?label=production").await.json();
    let id = released[0]["id"].as_str().expect("a released prompt");
    let path = format!("/api/prompts/{id}?label=production");
    assert!(lead.get(&path).await.expect(200).json()["promptVersionId"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_requests_stand_in_different_states() {
    let app = App::start().await;
    run(&seed(&app, false)).await.expect("seeded");
    let body = login("lead@example.com", "example-Otter-2024");
    let reply = app.anonymous().post("/api/auth/login", &body).await;
    let lead = app.anonymous().signed_in(&reply.json());
    let list = lead.get("/api/requests").await.expect(200).json();
    let requests = list["requests"].as_array().expect("requests").iter();
    let states: Vec<_> = requests
        .map(|request| request["status"].as_str().expect("a status"))
        .collect();
    let expected = [
        "Denied",
        "Completed",
        "In Progress",
        "Engineering Review",
        "Submitted",
    ];
    assert_eq!(states, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_others_work_in_is_not_seeded_by_accident() {
    let app = App::start().await;
    app.register().await;
    assert!(run(&seed(&app, false)).await.is_err());
    assert_eq!(run(&seed(&app, true)).await.expect("forced").len(), 13);
}
