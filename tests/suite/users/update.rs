//! Giving roles and letting people go.

use serde_json::json;
use tests::support::{App, Options};

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_changes_name_and_role() {
    let app = App::start().await;
    let admin = app.register().await;
    let developer = app.member(&admin, "developer").await;
    let path = format!("/api/users/{}", developer.id());
    let user = admin
        .patch(&path, &json!({ "name": "Grace", "role": "manager" }))
        .await;
    let user = user.expect(200).json();
    assert_eq!(
        (&user["name"], &user["role"]),
        (&json!("Grace"), &json!("lead"))
    );
    developer
        .patch(&path, &json!({ "role": "admin" }))
        .await
        .expect_problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_people_of_another_company() {
    let app = App::start().await;
    let (admin, stranger) = (app.register().await, app.register().await);
    let path = format!("/api/users/{}", admin.id());
    stranger
        .patch(&path, &json!({ "name": "X" }))
        .await
        .expect_problem(404, "not_found");
    admin
        .patch("/api/users/7", &json!({ "name": "X" }))
        .await
        .expect_problem(400, "invalid_path");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_active_admin_stays_one() {
    let app = App::start().await;
    let admin = app.register().await;
    let path = format!("/api/users/{}", admin.id());
    for change in [json!({ "role": "lead" }), json!({ "isActive": false })] {
        admin
            .patch(&path, &change)
            .await
            .expect_problem(409, "conflict");
    }
    let second = app.member(&admin, "admin").await;
    admin
        .patch(&path, &json!({ "role": "lead" }))
        .await
        .expect(200);
    let path = format!("/api/users/{}", second.id());
    second
        .patch(&path, &json!({ "isActive": false }))
        .await
        .expect_problem(409, "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_admins_who_demote_each_other_at_once_leave_one() {
    let app = App::start().await;
    let replica = app.replica(Options::default()).await;
    for _ in 0..5 {
        let one = app.register().await;
        let other = app.member(&one, "admin").await.at(&replica.url);
        let path = |client: &tests::support::Client| format!("/api/users/{}", client.id());
        let (to_one, to_other, change) = (path(&one), path(&other), json!({ "role": "developer" }));
        let (a, b) = tokio::join!(one.patch(&to_other, &change), other.patch(&to_one, &change));
        // The loser is refused for the last admin's sake, or as no admin any more.
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200, "{statuses:?}");
        assert!(matches!(statuses[1], 403 | 409), "{statuses:?}");
    }
}
