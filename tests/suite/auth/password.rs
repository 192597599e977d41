//! Choosing a new password.

use serde_json::json;
use tests::support::{
    App,
    app::{PASSWORD, login},
};

const NEW: &str = "Regen am Dienstag 7";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_all_other_sessions() {
    let app = App::start().await;
    let admin = app.register().await;
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let reply = admin.post("/api/auth/password", &body).await;
    let after = app.anonymous().signed_in(&reply.expect(200).json());
    after.get("/api/auth/me").await.expect(200);
    admin
        .get("/api/auth/me")
        .await
        .expect_problem(401, "unauthenticated");
    let old = json!({ "refreshToken": admin.refresh_token() });
    app.anonymous()
        .post("/api/auth/refresh", &old)
        .await
        .expect_problem(401, "unauthenticated");
    let sign_in = |password| login(admin.email(), password);
    app.anonymous()
        .post("/api/auth/login", &sign_in(PASSWORD))
        .await
        .expect(401);
    app.anonymous()
        .post("/api/auth/login", &sign_in(NEW))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_current_password_has_to_be_right_and_guessing_it_locks() {
    let app = App::start().await;
    let admin = app.register().await;
    let change =
        |current: &str, new: &str| json!({ "currentPassword": current, "newPassword": new });
    let weak = admin
        .post("/api/auth/password", &change(PASSWORD, "1234567890"))
        .await;
    weak.expect_problem(422, "invalid");
    assert_eq!(weak.faulty_fields(), ["newPassword"]);
    let same = admin
        .post("/api/auth/password", &change(PASSWORD, PASSWORD))
        .await;
    same.expect_problem(422, "invalid");
    for _ in 0..5 {
        let wrong = admin
            .post("/api/auth/password", &change("wrong", NEW))
            .await;
        wrong.expect_problem(422, "invalid");
        assert_eq!(wrong.faulty_fields(), ["currentPassword"]);
    }
    let locked = admin
        .post("/api/auth/password", &change(PASSWORD, NEW))
        .await;
    locked.expect_problem(429, "too_many_requests");
}
