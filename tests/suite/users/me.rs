//! One's own profile.

use serde_json::json;
use tests::support::App;

#[tokio::test(flavor = "multi_thread")]
async fn everybody_changes_their_own_name_and_nothing_else() {
    let app = App::start().await;
    let admin = app.register().await;
    let requester = app.member(&admin, "requester").await;
    let body = json!({ "name": " Rob ", "role": "admin", "isActive": false });
    let me = requester
        .patch("/api/users/me", &body)
        .await
        .expect(200)
        .json();
    assert_eq!(me["user"]["name"], "Rob");
    assert_eq!(me["user"]["role"], "requester");
    assert_eq!(requester.get("/api/auth/me").await.expect(200).json(), me);
    let empty = requester
        .patch("/api/users/me", &json!({ "name": "  " }))
        .await;
    empty.expect_problem(422, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_profile_is_not_sent_twice_and_a_stale_change_is_refused() {
    let app = App::start().await;
    let admin = app.register().await;
    let reply = admin.get("/api/users/me").await;
    let first = reply.header("etag").expect("a tag").to_owned();
    admin
        .with("if-none-match", &first)
        .get("/api/users/me")
        .await
        .expect(304);
    let change = json!({ "name": "Ada" });
    let reply = admin
        .with("if-match", &first)
        .patch("/api/users/me", &change)
        .await;
    let second = reply.expect(200).header("etag").expect("a tag").to_owned();
    assert_ne!(first, second);
    let stale = admin
        .with("if-match", &first)
        .patch("/api/users/me", &change)
        .await;
    stale.expect_problem(412, "stale");
    admin
        .with("if-none-match", &first)
        .get("/api/users/me")
        .await
        .expect(200);
    let tags = format!("{first}, {second}");
    admin
        .with("if-match", &tags)
        .patch("/api/users/me", &change)
        .await
        .expect(200);
    admin
        .with("if-match", "*")
        .patch("/api/users/me", &change)
        .await
        .expect(200);
    let foreign = admin
        .with("if-match", "\"zzz\"")
        .patch("/api/users/me", &change)
        .await;
    foreign.expect_problem(412, "stale");
}
