//! Joining a company by invitation.

use serde_json::{Value, json};
use tests::support::{App, Client, app::PASSWORD, make, redact::redacted};

async fn invite(admin: &Client, role: &str) -> Value {
    let body = json!({ "email": make::email(), "role": role });
    admin
        .post("/api/invitations", &body)
        .await
        .expect(201)
        .json()
}

fn acceptance(invitation: &Value) -> Value {
    json!({ "token": invitation["token"], "name": "Grace Hopper", "password": PASSWORD })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_good_once() {
    let app = App::start().await;
    let admin = app.register().await;
    let invitation = invite(&admin, "developer").await;
    insta::assert_json_snapshot!(redacted(&invitation), @r#"
    {
      "acceptedAt": null,
      "createdAt": "[time]",
      "email": "[email]",
      "expiresAt": "[time]",
      "id": "[id]",
      "inviteUrl": "[secret]",
      "invitedBy": "[id]",
      "role": "developer",
      "token": "[secret]"
    }
    "#);
    let (anyone, body) = (app.anonymous(), acceptance(&invitation));
    let joined = anyone
        .post("/api/invitations/accept", &body)
        .await
        .expect(201)
        .json();
    assert_eq!(joined["user"]["email"], invitation["email"]);
    assert_eq!(joined["user"]["role"], "developer");
    let colleague = anyone.signed_in(&joined);
    let colleagues = colleague.get("/api/users").await.expect(200).json();
    assert_eq!(colleagues["users"].as_array().map(Vec::len), Some(2));
    anyone
        .post("/api/invitations/accept", &body)
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_accept_at_once_one_joins() {
    let app = App::start().await;
    let invitation = invite(&app.register().await, "developer").await;
    let (anyone, body) = (app.anonymous(), acceptance(&invitation));
    let accept = || anyone.post("/api/invitations/accept", &body);
    let (one, other) = tokio::join!(accept(), accept());
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 404]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_withdrawn_or_invented_invitation_is_none() {
    let app = App::start().await;
    let admin = app.register().await;
    let accept = async |invitation: &Value| {
        app.anonymous()
            .post("/api/invitations/accept", &acceptance(invitation))
            .await
    };
    let expired = invite(&admin, "developer").await;
    app.database()
        .run("UPDATE invitations SET expires_at = now()")
        .await;
    accept(&expired).await.expect_problem(404, "not_found");
    let withdrawn = invite(&admin, "developer").await;
    let path = format!(
        "/api/invitations/{}",
        withdrawn["id"].as_str().expect("an id")
    );
    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.expect_problem(404, "not_found");
    accept(&withdrawn).await.expect_problem(404, "not_found");
    accept(&json!({ "token": "x" }))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_acceptance_leaves_the_invitation_open() {
    let app = App::start().await;
    let invitation = invite(&app.register().await, "developer").await;
    let mut body = acceptance(&invitation);
    body["password"] = json!("1234567890");
    let reply = app.anonymous().post("/api/invitations/accept", &body).await;
    reply.expect_problem(422, "invalid");
    // The address was taken elsewhere in the meantime, and given free again.
    let mut registration = make::registration();
    registration["email"] = invitation["email"].clone();
    app.anonymous()
        .post("/api/auth/register", &registration)
        .await
        .expect(201);
    let accept = || async {
        app.anonymous()
            .post("/api/invitations/accept", &acceptance(&invitation))
            .await
    };
    accept().await.expect_problem(409, "conflict");
    app.database().run("UPDATE users SET email = 'other@example.com' WHERE email = (SELECT email FROM invitations)").await;
    accept().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn invitations_are_the_admins_own() {
    let app = App::start().await;
    let (admin, stranger) = (app.register().await, app.register().await);
    let lead = app.member(&admin, "lead").await;
    let invitation = invite(&admin, "developer").await;
    let listed = admin.get("/api/invitations").await.expect(200).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert!(listed[0].get("token").is_none());
    assert_eq!(
        stranger.get("/api/invitations").await.expect(200).json(),
        json!([])
    );
    let path = format!(
        "/api/invitations/{}",
        invitation["id"].as_str().expect("an id")
    );
    stranger
        .delete(&path)
        .await
        .expect_problem(404, "not_found");
    let body = json!({ "email": make::email(), "role": "developer" });
    lead.post("/api/invitations", &body)
        .await
        .expect_problem(403, "forbidden");
    let known = json!({ "email": lead.email(), "role": "developer" });
    admin
        .post("/api/invitations", &known)
        .await
        .expect_problem(409, "conflict");
}
