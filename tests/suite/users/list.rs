//! Seeing one's colleagues.

use serde_json::{Value, json};
use tests::support::{App, Client, redact::redacted};

async fn list(client: &Client, query: &str) -> Vec<Value> {
    let reply = client.get(&format!("/api/users{query}")).await;
    reply.expect(200).json()["users"]
        .as_array()
        .expect("a list")
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn requesters_see_names_and_roles_and_others_see_addresses_too() {
    let app = App::start().await;
    let admin = app.register().await;
    let developer = app.member(&admin, "developer").await;
    let requester = app.member(&admin, "requester").await;
    let of = |users: &[Value]| {
        users
            .iter()
            .find(|user| user["id"] == developer.id())
            .cloned()
    };
    let seen = of(&list(&requester, "").await).expect("the developer");
    insta::assert_json_snapshot!(redacted(&seen), @r#"
    {
      "avatar": "[picture]",
      "avatarUrl": "[picture]",
      "id": "[id]",
      "name": "Grace Hopper",
      "role": "developer"
    }
    "#);
    let seen = of(&list(&developer, "").await).expect("the developer");
    assert_eq!(seen["email"], developer.email());
    let path = format!("/api/users/{}", developer.id());
    let one = requester.get(&path).await.expect(200).json();
    assert!(one.get("email").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_filters_and_people_of_other_companies_are_not_there() {
    let app = App::start().await;
    let (admin, stranger) = (app.register().await, app.register().await);
    let developer = app.member(&admin, "developer").await;
    for role in ["developer", "engineer"] {
        let users = list(&admin, &format!("?role={role}")).await;
        assert_eq!(users.len(), 1);
        assert_eq!(users[0]["id"], developer.id());
    }
    assert_eq!(list(&stranger, "").await.len(), 1);
    let path = format!("/api/users/{}", developer.id());
    stranger.get(&path).await.expect_problem(404, "not_found");
    admin
        .get("/api/users?role=root")
        .await
        .expect_problem(400, "invalid_query");
    admin
        .get("/api/users?rolle=lead")
        .await
        .expect_problem(400, "invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_admins_see_who_was_let_go() {
    let app = App::start().await;
    let admin = app.register().await;
    let (developer, lead) = (
        app.member(&admin, "developer").await,
        app.member(&admin, "lead").await,
    );
    let path = format!("/api/users/{}", developer.id());
    admin
        .patch(&path, &json!({ "isActive": false }))
        .await
        .expect(200);
    assert_eq!(list(&lead, "?role=developer").await.len(), 0);
    lead.get(&path).await.expect_problem(404, "not_found");
    assert_eq!(list(&admin, "?role=developer").await[0]["isActive"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_come_by_name_page_by_page() {
    let app = App::start().await;
    let admin = app.register().await;
    for _ in 0..3 {
        app.member(&admin, "developer").await;
    }
    let whole = list(&admin, "").await;
    assert_eq!(whole.len(), 4);
    let first = admin.get("/api/users?limit=3").await;
    let mut pages = first.expect(200).json()["users"]
        .as_array()
        .expect("a list")
        .clone();
    let next = admin.get(first.next_page().expect("a next page")).await;
    pages.extend(
        next.expect(200).json()["users"]
            .as_array()
            .expect("a list")
            .clone(),
    );
    assert_eq!(next.next_page(), None);
    assert_eq!(pages, whole);
}
