//! Writing prompts: what is taken, what is refused, whose they are, and who comes first.

use serde_json::{Value, json};
use tests::support::App;

use super::support::{PROMPTS, create, path_of};

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_prompt_is_told_at_once() {
    let app = App::start().await;
    let ada = app.register().await;
    let empty = ada.post(PROMPTS, &json!({})).await;
    empty.expect_problem(422, "invalid");
    assert_eq!(empty.faulty_fields(), ["promptText", "title"]);
    let wrong = json!({
        "title": " ", "promptText": "", "kind": "judge", "visibility": "everybody",
        "metadata": {"nul": "a\u{0}b"}, "notes": "n".repeat(200_001),
        "sflField": {"topic": "x".repeat(10_001)},
        "sourceDocument": {"name": "a"},
    });
    let reply = ada.post(PROMPTS, &wrong).await;
    reply.expect_problem(422, "invalid");
    let fields = [
        "kind",
        "metadata",
        "notes",
        "promptText",
        "sflField.topic",
        "sourceDocument.content",
        "title",
        "visibility",
    ];
    assert_eq!(reply.faulty_fields(), fields);
    let numbers = json!({"title": 7, "promptText": ["a"]});
    let reply = ada.post(PROMPTS, &numbers).await;
    reply.expect_problem(400, "invalid_body");
    assert_eq!(reply.faulty_fields(), ["promptText", "title"]);
    assert_eq!(ada.get(PROMPTS).await.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_of_all_its_members_comes_back_as_it_was_sent() {
    let app = App::start().await;
    let ada = app.register().await;
    let sent = json!({
        "title": "All", "promptText": " {{b}} as JSON in <response>\n{{a}}{{b}}", "kind": "grader",
        "sflField": {"topic": "t", "taskType": "own", "domainSpecifics": "d", "keywords": "k"},
        "sflTenor": {"aiPersona": "p", "targetAudience": ["x", "y"], "desiredTone": "t", "interpersonalStance": "s"},
        "sflMode": {"outputFormat": "o", "rhetoricalStructure": "r", "lengthConstraint": "l", "textualDirectives": "d"},
        "exampleOutput": "e", "notes": "n", "sourceDocument": {"name": "a.txt", "content": "c"},
        "metadata": {"temperature": 0.7, "modelId": null, "big": 18_446_744_073_709_551_615_u64, "list": [1, {"x": "ü"}]},
        "visibility": "company",
    });
    let created = ada.post(PROMPTS, &sent).await;
    let prompt = created.expect(201).json();
    assert_eq!(created.header("location"), Some(path_of(&prompt).as_str()));
    for (member, value) in sent.as_object().expect("members") {
        assert_eq!(&prompt[member], value, "{member}");
    }
    assert_eq!(prompt["placeholders"], json!(["b", "a"]));
    assert_eq!(prompt["expectedOutput"], "response+json");
    assert_eq!(prompt["labels"], json!([]));
    assert!(prompt.get("currentVersion").is_none());
    assert_eq!(ada.get(&path_of(&prompt)).await.json(), prompt);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_replaces_the_members_that_are_sent_and_no_other() {
    let app = App::start().await;
    let ada = app.register().await;
    let members = json!({
        "notes": "n", "exampleOutput": "e", "metadata": {"temperature": 1},
        "sflField": {"topic": "t", "keywords": "k"},
    });
    let prompt = create(&ada, members).await;
    let path = path_of(&prompt);
    let body = json!({"sflField": {"topic": "other"}, "notes": null, "sflTenor": {"targetAudience": "Experts"}});
    let changed = ada.put(&path, &body).await.expect(200).json();
    assert_eq!(changed["sflField"]["topic"], "other");
    assert_eq!(
        changed["sflField"]["keywords"], "",
        "a member is replaced as a whole"
    );
    assert_eq!(changed["sflTenor"]["targetAudience"], json!(["Experts"]));
    assert!(changed.get("notes").is_none());
    for kept in [
        "title",
        "promptText",
        "exampleOutput",
        "metadata",
        "createdAt",
    ] {
        assert_eq!(changed[kept], prompt[kept], "{kept}");
    }
    let body = json!({"title": "T", "metadata": null});
    let patched = ada.patch(&path, &body).await.expect(200).json();
    assert_eq!(
        (&patched["title"], &patched["metadata"]),
        (&json!("T"), &json!({}))
    );
    ada.put(&path, &json!({"title": ""}))
        .await
        .expect_problem(422, "invalid");
    ada.put(&path, &json!({"promptText": "  "}))
        .await
        .expect_problem(422, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_to_be_created_by_put_needs_what_one_by_post_needs() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = format!("{PROMPTS}/0d0f1c66-30f0-4d0e-9d21-0d8ac4d6a1b8");
    let reply = ada.put(&path, &json!({"notes": "n"})).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["promptText", "title"]);
    ada.patch(&path, &json!({"title": "T"}))
        .await
        .expect_problem(404, "not_found");
    let body = json!({"title": "T", "promptText": "P"});
    let expecting = ada.with("if-match", "\"1\"").put(&path, &body).await;
    expecting.expect_problem(412, "stale");
    ada.put(&format!("{PROMPTS}/nonsense"), &body)
        .await
        .expect_problem(400, "invalid_path");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_prompt_is_its_owners_and_a_shared_one_everybodys_to_read() {
    let app = App::start().await;
    let admin = app.register().await;
    let (owner, other) = (
        app.member(&admin, "developer").await,
        app.member(&admin, "lead").await,
    );
    let stranger = app.register().await;
    let path = path_of(&create(&owner, json!({})).await);
    let body = json!({"title": "Theirs", "promptText": "P"});
    for client in [&admin, &other, &stranger] {
        client.get(&path).await.expect_problem(404, "not_found");
        client
            .put(&path, &body)
            .await
            .expect_problem(404, "not_found");
        client.delete(&path).await.expect_problem(404, "not_found");
        assert_eq!(client.get(PROMPTS).await.json(), json!([]));
    }
    owner
        .patch(&path, &json!({"visibility": "company"}))
        .await
        .expect(200);
    other.get(&path).await.expect(200);
    other
        .put(&path, &body)
        .await
        .expect_problem(403, "forbidden");
    other
        .patch(&path, &body)
        .await
        .expect_problem(403, "forbidden");
    other.delete(&path).await.expect_problem(403, "forbidden");
    other
        .post_empty(&format!("{path}/versions"))
        .await
        .expect_problem(403, "forbidden");
    stranger.get(&path).await.expect_problem(404, "not_found");
    stranger
        .put(&path, &body)
        .await
        .expect_problem(404, "not_found");
    let changed = admin.put(&path, &body).await.expect(200).json();
    assert_eq!(changed["owner"]["id"], owner.id(), "whose it is stays");
    let requester = app.member(&admin, "requester").await;
    requester
        .get(PROMPTS)
        .await
        .expect_problem(403, "forbidden");
    // Private again: whoever read it a moment ago does no more.
    owner
        .patch(&path, &json!({"visibility": "private"}))
        .await
        .expect(200);
    other.get(&path).await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_to_the_same_revision_one_is_refused() {
    let app = App::start().await;
    let ada = app.register().await;
    for round in 0..5 {
        let path = path_of(&create(&ada, json!({})).await);
        let tag = ada
            .get(&path)
            .await
            .header("etag")
            .expect("a tag")
            .to_owned();
        let clients: Vec<_> = (0..4).map(|_| ada.with("if-match", &tag)).collect();
        let bodies: Vec<_> = (0..4)
            .map(|n| json!({"title": format!("{round}.{n}")}))
            .collect();
        let changes = clients
            .iter()
            .zip(&bodies)
            .map(|(client, body)| client.put(&path, body));
        let replies = futures::future::join_all(changes).await;
        let done: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
        let stale = replies.iter().filter(|reply| reply.status == 412).count();
        assert_eq!((done.len(), stale), (1, 3));
        assert_eq!(ada.get(&path).await.json(), done[0].json());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_puts_that_create_one_does() {
    let app = App::start().await;
    let ada = app.register().await;
    let id = "0d0f1c66-30f0-4d0e-9d21-0d8ac4d6a1b9";
    let (path, body) = (
        format!("{PROMPTS}/{id}"),
        json!({"title": "T", "promptText": "P"}),
    );
    let puts = (0..8).map(|_| ada.put(&path, &body));
    let replies = futures::future::join_all(puts).await;
    let created = replies.iter().filter(|reply| reply.status == 201).count();
    let changed = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!((created, changed), (1, 7));
    assert_eq!(app.count("prompts").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_repeated_with_its_key_happens_once() {
    let app = App::start().await;
    let ada = app.register().await;
    let keyed = ada.with("idempotency-key", "create-1");
    let body = json!({"title": "T", "promptText": "P"});
    let first = keyed.post(PROMPTS, &body).await.expect(201).json();
    let again = keyed.post(PROMPTS, &body).await;
    assert_eq!(again.expect(201).json(), first);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = json!({"title": "Other", "promptText": "P"});
    keyed
        .post(PROMPTS, &other)
        .await
        .expect_problem(409, "idempotency_mismatch");
    assert_eq!(app.count("prompts").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vocabulary_has_the_known_values_and_those_in_use_that_one_may_see() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let odd = |value: &str| json!({"sflField": {"taskType": value}, "sflTenor": {"targetAudience": [value]}});
    create(&ada, odd("Rhyming")).await;
    create(&bob, odd("Hidden")).await;
    let path = format!("{PROMPTS}/vocabulary");
    let vocabulary = ada.get(&path).await.expect(200).json();
    let has = |member: &str, value: &str| {
        let list = vocabulary[member].as_array().expect("values");
        list.contains(&Value::from(value))
    };
    for member in ["taskType", "targetAudience"] {
        assert!(
            has(member, "Rhyming") && !has(member, "Hidden"),
            "{vocabulary}"
        );
    }
    assert!(has("taskType", "Summarization") && has("outputFormat", "Markdown"));
    let stranger = app.register().await;
    let theirs = stranger.get(&path).await.text();
    assert!(!theirs.contains("Rhyming"));
}
