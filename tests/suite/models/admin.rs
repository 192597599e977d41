//! Adding models, changing them, hiding them, choosing the default.

use serde_json::{Value, json};
use tests::support::{App, Client, redact::redacted};

use super::{add, list, named, path};

async fn default_of(client: &Client, kind: &str) -> Option<Value> {
    let models = list(client, &format!("?kind={kind}")).await;
    let mut defaults = models
        .into_iter()
        .filter(|model| model["isDefault"] == true);
    let first = defaults.next();
    assert!(defaults.next().is_none(), "two defaults of {kind}");
    first.map(|model| model["name"].clone())
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "a row, shown whole")]
async fn an_admin_adds_a_model_with_prices_and_abilities() {
    let app = App::start().await;
    let admin = app.register().await;
    let body = json!({
        "provider": "openai", "model": "qwen3:32b", "name": "house", "label": "House model", "kind": "text",
        "description": "Runs in the cellar.",
        "capabilities": {"imagesIn": true, "maxInputTokens": 40960},
        "prices": [
            {"effectiveFrom": "2026-01-01T00:00:00Z", "input": "0.10", "output": "0.20"},
            {"effectiveFrom": "2026-01-01T00:00:00Z", "tierFromInputTokens": 10000, "input": "0.30", "output": "0.123456789"},
        ],
        "retiresOn": "2027-06-30", "replacedBy": "qwen4:32b", "isTesting": true,
    });
    let made = admin.post("/api/models", &body).await;
    let made = made.expect(201).json();
    insta::assert_json_snapshot!(redacted(&made), @r#"
    {
      "aliases": [],
      "capabilities": {
        "imagesIn": true,
        "jsonSchema": true,
        "maxInputTokens": 40960,
        "maxOutputTokens": null,
        "maxThinkingTokens": null,
        "minThinkingTokens": null,
        "sampling": true,
        "thinking": "none",
        "thinkingLevels": [
          "low",
          "medium",
          "high"
        ],
        "thinkingOff": false,
        "webSearch": false
      },
      "checkedOn": null,
      "createdAt": "[time]",
      "description": "Runs in the cellar.",
      "id": "[id]",
      "isActive": true,
      "isDefault": false,
      "isGlobal": false,
      "kind": "text",
      "label": "House model",
      "model": "qwen3:32b",
      "name": "house",
      "prices": [
        {
          "effectiveFrom": "[time]",
          "input": "0.1",
          "output": "0.2",
          "tierFromInputTokens": 0
        },
        {
          "effectiveFrom": "[time]",
          "input": "0.3",
          "output": "0.123456789",
          "tierFromInputTokens": 10000
        }
      ],
      "provider": "openai",
      "providerKeyId": null,
      "replacedBy": "qwen4:32b",
      "retiresOn": "2027-06-30",
      "source": null
    }
    "#);
    assert_eq!(admin.get(&path(&made)).await.expect(200).json(), made);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_model_are_told_at_once() {
    let app = App::start().await;
    let admin = app.register().await;
    let body = json!({
        "provider": "acme", "model": "two words", "label": "", "kind": "sound",
        "prices": [
            {"effectiveFrom": "yesterday", "input": "-", "output": "1e3"},
        ],
        "retiresOn": "2026-02-30", "providerKeyId": "x",
    });
    let reply = admin.post("/api/models", &body).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(
        reply.faulty_fields(),
        [
            "kind",
            "label",
            "model",
            "prices[0].effectiveFrom",
            "prices[0].input",
            "prices[0].output",
            "provider",
            "providerKeyId",
            "retiresOn"
        ]
    );
    let step = |tier: u32, input: &str| json!({"effectiveFrom": "2026-01-01T00:00:00Z", "tierFromInputTokens": tier, "input": input});
    let body = json!({
        "provider": "openai", "model": "m", "label": "M", "kind": "text",
        "prices": [step(0, "-1"), step(0, "1"), {"effectiveFrom": "2027-01-01T00:00:00Z", "tierFromInputTokens": 5, "input": "1"}],
    });
    let reply = admin.post("/api/models", &body).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(
        reply.faulty_fields(),
        [
            "prices[0].input",
            "prices[1].tierFromInputTokens",
            "prices[2].tierFromInputTokens"
        ]
    );
    // A number is no amount: it would have been a float on its way.
    let body = json!({"provider": "openai", "model": "m", "label": "M", "kind": "text",
        "prices": [{"effectiveFrom": "2026-01-01T00:00:00Z", "input": 0.1}]});
    let reply = admin.post("/api/models", &body).await;
    reply.expect_problem(400, "invalid_body");
    let body = json!({"provider": "openai", "model": "m", "label": "M", "kind": "text", "isActive": false, "isDefault": true});
    let reply = admin.post("/api/models", &body).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["isDefault"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_and_a_name_are_there_once_in_a_company() {
    let app = App::start().await;
    let (ours, theirs) = (app.register().await, app.register().await);
    add(&ours, json!({"name": "house"})).await;
    add(&theirs, json!({"name": "house"})).await;
    for body in [
        json!({"provider": "openai", "model": "house-model", "label": "Again", "kind": "text"}),
        json!({"provider": "openai", "model": "other", "name": "house", "label": "Again", "kind": "text"}),
    ] {
        let reply = ours.post("/api/models", &body).await;
        reply.expect_problem(409, "conflict");
    }
    // A seeded model may be described anew.
    add(
        &ours,
        json!({"provider": "gemini", "model": "gemini-3.8-flash"}),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_add_the_same_model_at_once_are_one_model() {
    let app = App::start().await;
    let admin = app.register().await;
    let body = json!({"provider": "openai", "model": "house-model", "label": "House", "kind": "text", "isDefault": true});
    let replies = futures::future::join_all((0..8).map(|_| admin.post("/api/models", &body))).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_changed_member_by_member_and_only_as_it_was_seen() {
    let app = App::start().await;
    let admin = app.register().await;
    let model = add(
        &admin,
        json!({"retiresOn": "2027-01-01", "replacedBy": "next"}),
    )
    .await;
    let seen = admin.get(&path(&model)).await;
    let tag = seen.header("etag").expect("a tag");
    let changed = admin
        .with("if-match", tag)
        .patch(
            &path(&model),
            &json!({"label": "Renamed", "retiresOn": null}),
        )
        .await;
    let mut expected = model.clone();
    expected["label"] = "Renamed".into();
    expected["retiresOn"] = Value::Null;
    assert_eq!(changed.expect(200).json(), expected);
    for reply in [
        admin
            .with("if-match", tag)
            .patch(&path(&model), &json!({"label": "Late"}))
            .await,
        admin.with("if-match", tag).delete(&path(&model)).await,
    ] {
        reply.expect_problem(412, "stale");
    }
    let new_tag = changed.header("etag").expect("a tag");
    admin
        .with("if-match", new_tag)
        .delete(&path(&model))
        .await
        .expect(204);
    admin
        .get(&path(&model))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_admins_write() {
    let app = App::start().await;
    let admin = app.register().await;
    let lead = app.member(&admin, "lead").await;
    let model = add(&admin, json!({})).await;
    for reply in [
        lead.post("/api/models", &json!({})).await,
        lead.patch(&path(&model), &json!({"isActive": false})).await,
        lead.delete(&path(&model)).await,
    ] {
        reply.expect_problem(403, "forbidden");
    }
    lead.get(&path(&model)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seeded_model_is_hidden_for_one_company_and_changed_for_nobody() {
    let app = App::start().await;
    let (ours, theirs) = (app.register().await, app.register().await);
    let model = named(&ours, "gpt-6-luna").await;
    for reply in [
        ours.patch(&path(&model), &json!({"label": "Ours"})).await,
        ours.patch(&path(&model), &json!({"isActive": false, "prices": []}))
            .await,
        ours.delete(&path(&model)).await,
    ] {
        reply.expect_problem(403, "forbidden");
    }
    assert_eq!(named(&ours, "gpt-6-luna").await, model);
    let hidden = ours.patch(&path(&model), &json!({"isActive": false})).await;
    assert_eq!(hidden.expect(200).json()["isActive"], false);
    assert_eq!(named(&theirs, "gpt-6-luna").await, model);
    ours.patch(&path(&model), &json!({"isActive": true}))
        .await
        .expect(200);
    assert_eq!(named(&ours, "gpt-6-luna").await, model);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_default_of_each_kind_and_it_is_each_companys_own() {
    let app = App::start().await;
    let (ours, theirs) = (app.register().await, app.register().await);
    let seeded = default_of(&ours, "text").await;
    assert_eq!(seeded, Some("gemini-3.5-flash-lite".into()));
    let former = named(&ours, "gemini-3.5-flash-lite").await;
    let tag = ours.get(&path(&former)).await;
    let tag = tag.header("etag").expect("a tag").to_owned();

    let model = add(&ours, json!({"isDefault": true})).await;
    assert_eq!(model["isDefault"], true);
    assert_eq!(default_of(&ours, "text").await, Some("house-model".into()));
    assert_eq!(default_of(&theirs, "text").await, seeded);
    // Whoever kept the former default learns that it is none any more.
    let again = ours.with("if-none-match", &tag).get(&path(&former)).await;
    assert_eq!(again.expect(200).json()["isDefault"], false);

    let other = named(&ours, "gpt-6-luna").await;
    ours.patch(&path(&other), &json!({"isDefault": true}))
        .await
        .expect(200);
    assert_eq!(default_of(&ours, "text").await, Some("gpt-6-luna".into()));
    // Hidden, it is none any more, and offered again it does not come back by itself.
    for is_active in [false, true] {
        ours.patch(&path(&other), &json!({"isActive": is_active}))
            .await
            .expect(200);
        assert_eq!(default_of(&ours, "text").await, seeded);
    }
    let reply = ours
        .patch(
            &path(&other),
            &json!({"isActive": false, "isDefault": true}),
        )
        .await;
    reply.expect_problem(422, "invalid");

    ours.patch(&path(&model), &json!({"isDefault": true}))
        .await
        .expect(200);
    ours.delete(&path(&model)).await.expect(204);
    assert_eq!(default_of(&ours, "text").await, seeded);
    assert_eq!(
        default_of(&ours, "image").await,
        Some("gemini-3.1-flash-image".into())
    );
    assert_eq!(
        default_of(&ours, "embedding").await,
        Some("gemini-embedding-001".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_choose_a_default_at_once_leave_one() {
    let app = App::start().await;
    let admin = app.register().await;
    let models = list(&admin, "?kind=text").await;
    let choose = json!({"isDefault": true});
    let paths: Vec<String> = models.iter().take(8).map(path).collect();
    let replies =
        futures::future::join_all(paths.iter().map(|path| admin.patch(path, &choose))).await;
    for reply in replies {
        reply.expect(200);
    }
    assert!(default_of(&admin, "text").await.is_some());
}
