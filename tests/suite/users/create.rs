//! Adding people.

use serde_json::json;
use tests::support::{App, app::PASSWORD, make};

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_adds_somebody_who_can_sign_in_at_once() {
    let app = App::start().await;
    let admin = app.register().await;
    let body = make::member("engineer");
    let reply = admin.post("/api/users", &body).await;
    let user = reply.expect(201).json();
    assert_eq!(user["role"], "developer");
    assert!(user.get("token").is_none() && user.get("password").is_none());
    assert!(reply.header("etag").is_some());
    let location = format!("/api/users/{}", user["id"].as_str().expect("an id"));
    assert_eq!(reply.header("location"), Some(location.as_str()));
    admin.get(&location).await.expect(200);
    app.sign_in(body["email"].as_str().expect("an address"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_added_without_a_password_chooses_one_by_a_link() {
    let app = App::start().await;
    let admin = app.register().await;
    let email = make::email();
    let body = json!({ "email": email, "name": "Grace", "role": "lead" });
    let added = admin.post("/api/users", &body).await.expect(201).json();
    let sign_in = json!({ "email": email, "password": "" });
    app.anonymous()
        .post("/api/auth/login", &sign_in)
        .await
        .expect_problem(401, "bad_credentials");
    let accept = json!({ "token": added["token"], "name": "Grace Hopper", "password": PASSWORD });
    let joined = app
        .anonymous()
        .post("/api/invitations/accept", &accept)
        .await;
    let joined = joined.expect(201).json();
    assert_eq!(joined["user"]["id"], added["id"]);
    assert_eq!(joined["user"]["name"], "Grace Hopper");
    assert_eq!(joined["user"]["role"], "lead");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_admins_add_people_and_an_address_is_taken_once() {
    let app = App::start().await;
    let (admin, stranger) = (app.register().await, app.register().await);
    for role in ["lead", "developer", "requester"] {
        let member = app.member(&admin, role).await;
        let reply = member.post("/api/users", &make::member("developer")).await;
        reply.expect_problem(403, "forbidden");
    }
    let body = make::member("developer");
    admin.post("/api/users", &body).await.expect(201);
    stranger
        .post("/api/users", &body)
        .await
        .expect_problem(409, "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_new_user_is_named_at_once() {
    let app = App::start().await;
    let admin = app.register().await;
    let body = json!({ "email": "x", "role": "root", "password": "short" });
    let reply = admin.post("/api/users", &body).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["email", "name", "password", "role"]);
    let telling = json!({
        "email": "grace.hopper@example.com", "name": "Grace", "role": "lead", "password": "Grace.Hopper1",
    });
    let reply = admin.post("/api/users", &telling).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["password"]);
}
