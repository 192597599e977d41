//! What is entered, and how it is read.

use serde_json::json;
use tests::support::{App, Options};

use super::{company, entries, prompt, rows, verdict};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_names_who_made_it_from_where_and_what_it_was() {
    let app = App::start().await;
    let admin = app.register().await;
    let caller = admin
        .with("user-agent", "curl/8 'quoted\\'")
        .with("x-request-id", "request-0001");
    let change = json!({"name": "Grace Hopper"});
    caller.patch("/api/users/me", &change).await.expect(200);
    let found = entries(&admin, "entity=user&action=updated").await;
    let entry = &found[0];
    assert_eq!(entry["before"], json!({"name": "Ada Lovelace"}), "{entry}");
    assert_eq!(entry["after"], change);
    assert_eq!(
        (&entry["actorKind"], &entry["actorId"], &entry["actorName"]),
        (&json!("user"), &json!(admin.id()), &json!("Grace Hopper"))
    );
    assert_eq!(
        (&entry["ip"], &entry["userAgent"], &entry["requestId"]),
        (
            &json!("127.0.0.1"),
            &json!("curl/8 'quoted\\'"),
            &json!("request-0001")
        )
    );
    assert_eq!(
        (&entry["entityId"], &entry["apiKeyId"]),
        (&json!(admin.id()), &json!(null))
    );
    let made = entries(&admin, "entity=user&action=created").await;
    assert_eq!(made[0]["actorKind"], "service", "{}", made[0]);
    assert_eq!(made[0]["after"]["email"], admin.email());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_a_key_names_the_key_and_its_owner() {
    let app = App::start_with(Options::with(|config| config.trusted_proxies = 1)).await;
    let admin = app.register().await;
    let body = json!({"name": "CI", "scopes": ["read", "write"]});
    let key = admin.post("/api/api-keys", &body).await.expect(201).json();
    let program = app
        .anonymous()
        .bearing(key["key"].as_str().expect("a key"))
        .with("x-forwarded-for", "192.0.2.7");
    let made = prompt(&program, "Ponds", "company").await;
    let path = format!("/api/prompts/{}", made["id"].as_str().expect("an id"));
    program.delete(&path).await.expect(204);
    let query = format!(
        "entityId={}&actor={}",
        made["id"].as_str().expect("an id"),
        admin.id()
    );
    let found = entries(&admin, &query).await;
    let actions: Vec<_> = found.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["deleted", "created"]);
    assert_eq!(found[0]["before"]["title"], "Ponds");
    for entry in &found {
        assert_eq!(
            (&entry["actorKind"], &entry["apiKeyId"], &entry["ip"]),
            (&json!("apiKey"), &key["id"], &json!("192.0.2.7"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_user_of_a_connection_does_not_act_for_the_last() {
    let app = App::start_with(Options::with(|config| config.db.database_pool_size = 1)).await;
    let admin = app.register().await;
    let made = prompt(&admin, "Ponds", "company").await;
    let id = made["id"].as_str().expect("an id");
    // The pool has one connection: the one that the request has used.
    let mut conn = app.inner.pool.get().await.expect("a connection");
    let sql = format!("UPDATE prompts SET title = 'Lakes' WHERE id = '{id}'");
    diesel_async::SimpleAsyncConnection::batch_execute(&mut *conn, &sql)
        .await
        .expect("a change");
    drop(conn);
    let found = entries(&admin, &format!("entityId={id}")).await;
    assert_eq!(found[0]["after"], json!({"title": "Lakes"}));
    assert_eq!(
        (
            &found[0]["actorKind"],
            &found[0]["actorId"],
            &found[0]["ip"]
        ),
        (&json!("system"), &json!(null), &json!(null))
    );
    assert_eq!(found[1]["actorId"], admin.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rolled_back_or_changes_nothing_leaves_nothing() {
    let app = App::start().await;
    let admin = app.register().await;
    let before = verdict(&admin).await["head"]["number"].as_i64();
    let sql = "BEGIN; UPDATE users SET name = 'Nobody'; ROLLBACK; UPDATE users SET name = name";
    app.database().run(sql).await;
    // Each look at the verdict enters itself.
    let after = verdict(&admin).await["head"]["number"].as_i64();
    assert_eq!(after, before.map(|number| number + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_the_log_is_entered_with_its_filter() {
    let app = App::start().await;
    let admin = app.register().await;
    entries(&admin, "entity=user&limit=7").await;
    let found = entries(&admin, "entity=audit&action=read").await;
    assert_eq!(
        found[0]["after"],
        json!({"filter": {"entity": "audit", "action": "read"}})
    );
    assert_eq!(found[1]["after"], json!({"filter": {"entity": "user"}}));
    assert_eq!(found[1]["actorId"], admin.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_and_times_bound_them() {
    let app = App::start().await;
    let admin = app.register().await;
    for title in ["One", "Two", "Three"] {
        prompt(&admin, title, "company").await;
    }
    let page = admin.get("/api/audit?entity=prompt&limit=2").await;
    page.expect(200);
    let next = page.next_page().expect("a second page");
    let rest = admin.get(next).await.expect(200).json();
    assert_eq!(rest[0]["after"]["title"], "One");
    let at = rest[0]["at"].as_str().expect("a time").replace('+', "%2B");
    assert_eq!(
        entries(&admin, &format!("entity=prompt&from={at}"))
            .await
            .len(),
        3
    );
    assert_eq!(
        entries(&admin, &format!("entity=prompt&to={at}"))
            .await
            .len(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_admins_read_the_log_and_only_their_companys() {
    let app = App::start().await;
    let (ours, theirs) = (app.register().await, app.register().await);
    for role in ["requester", "developer", "lead"] {
        let member = app.member(&ours, role).await;
        for path in ["/api/audit", "/api/audit/verify"] {
            member.get(path).await.expect_problem(403, "forbidden");
        }
    }
    let found = entries(&ours, "limit=1000").await;
    let foreign = company(&app, &theirs).await.to_string();
    assert!(
        found
            .iter()
            .all(|entry| !entry.to_string().contains(&foreign))
    );
    let query = format!("entityId={}", theirs.id());
    assert!(entries(&ours, &query).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_private_row_says_is_withheld_from_admins_too() {
    let app = App::start().await;
    let admin = app.register().await;
    let colleague = app.member(&admin, "developer").await;
    let made = prompt(&colleague, "A private thought", "private").await;
    let path = format!("/api/prompts/{}", made["id"].as_str().expect("an id"));
    let change = json!({"promptText": "Another private thought"});
    colleague.put(&path, &change).await.expect(200);
    let shared = json!({"visibility": "company", "title": "For all"});
    colleague.put(&path, &shared).await.expect(200);
    let found = entries(&admin, "entity=prompt").await;
    let all = serde_json::to_string(&found).expect("JSON");
    assert!(!all.contains("private thought"), "{all}");
    assert_eq!(found[0]["after"], shared);
    assert_eq!(found[0]["before"]["title"], json!({"withheld": "private"}));
    let members = found[1]["after"].as_object().expect("members");
    assert_eq!(members["prompt_text"], json!({"withheld": "private"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_can_be_removed_and_its_log_stays() {
    let app = App::start().await;
    let admin = app.register().await;
    prompt(&admin, "Ponds", "company").await;
    let company = company(&app, &admin).await;
    app.database()
        .run(&format!("DELETE FROM companies WHERE id = '{company}'"))
        .await;
    let mut conn = app.database().connect().await;
    let verdict = db::audit::verify(&mut conn, company, None)
        .await
        .expect("a verdict");
    assert_eq!(verdict.broken, None);
    let left = rows(
        &app,
        "SELECT entity, actor_kind FROM audit_entries WHERE action = 'deleted'",
    )
    .await;
    for entity in ["user", "prompt"] {
        assert!(
            left.contains(&json!({"entity": entity, "actor_kind": "system"})),
            "{left:?}"
        );
    }
}
