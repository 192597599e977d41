use serde_json::json;
use tests::support::{App, make, redact::redacted};

#[tokio::test(flavor = "multi_thread")]
async fn registering_signs_the_first_admin_in() {
    let app = App::start().await;
    let reply = app
        .anonymous()
        .post("/api/auth/register", &make::registration())
        .await;
    reply.expect(201);
    insta::assert_json_snapshot!(redacted(&reply.json()), @r#"
    {
      "accessToken": "[secret]",
      "expiresIn": 900,
      "refreshToken": "[secret]",
      "tokens": {
        "accessToken": "[secret]",
        "expiresIn": 900,
        "refreshToken": "[secret]"
      },
      "user": {
        "avatar": "[picture]",
        "avatarUrl": "[picture]",
        "createdAt": "[time]",
        "email": "[email]",
        "id": "[id]",
        "isActive": true,
        "name": "Ada Lovelace",
        "role": "admin",
        "updatedAt": "[time]"
      }
    }
    "#);
    let admin = app.anonymous().signed_in(&reply.json());
    let me = admin.get("/api/auth/me").await;
    assert_eq!(me.expect(200).json()["user"]["id"], admin.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_taken_once_over_all_companies() {
    let app = App::start().await;
    let body = make::registration();
    app.anonymous()
        .post("/api/auth/register", &body)
        .await
        .expect(201);
    app.anonymous()
        .post("/api/auth/register", &body)
        .await
        .expect_problem(409, "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_registration_is_named_at_once() {
    let app = App::start().await;
    let body = json!({ "email": "nobody", "password": "1234567890", "companyName": "" });
    let reply = app.anonymous().post("/api/auth/register", &body).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(
        reply.faulty_fields(),
        ["companyName", "email", "name", "password"]
    );
}
