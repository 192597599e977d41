//! Seeing what there is.

use serde_json::json;
use tests::support::{App, redact::redacted};

use super::{add, list, named, path};

#[tokio::test(flavor = "multi_thread")]
async fn a_seeded_model_is_shown_with_its_end_and_what_to_take_instead() {
    let app = App::start().await;
    let admin = app.register().await;
    let model = named(&admin, "gemini-2.5-flash").await;
    insta::assert_json_snapshot!(redacted(&model), @r#"
    {
      "aliases": [],
      "capabilities": {
        "imagesIn": true,
        "jsonSchema": true,
        "maxInputTokens": 1048576,
        "maxOutputTokens": 65535,
        "maxThinkingTokens": 24576,
        "minThinkingTokens": null,
        "sampling": true,
        "thinking": "budget",
        "thinkingLevels": [
          "low",
          "medium",
          "high"
        ],
        "thinkingOff": true,
        "webSearch": true
      },
      "checkedOn": "2026-11-20",
      "createdAt": "[time]",
      "description": "Ends on 1 December 2026; from then on Google lets gemini-3.5-flash-lite answer, at its price. Sound costs 1.00.",
      "id": "[id]",
      "isActive": true,
      "isDefault": false,
      "isGlobal": true,
      "kind": "text",
      "label": "Gemini 2.5 Flash",
      "model": "gemini-2.5-flash",
      "name": "gemini-2.5-flash",
      "prices": [
        {
          "cachedInput": "0.03",
          "effectiveFrom": "[time]",
          "input": "0.3",
          "output": "2.5",
          "tierFromInputTokens": 0
        }
      ],
      "provider": "gemini",
      "providerKeyId": null,
      "replacedBy": "gemini-3.5-flash-lite",
      "retiresOn": "2026-12-01",
      "source": "https://ai.google.dev/gemini-api/docs/pricing"
    }
    "#);
    let imagen = named(&admin, "imagen-3.0-generate-002").await;
    assert_eq!(imagen["retiresOn"], "2026-08-17");
    assert_eq!(imagen["replacedBy"], "gemini-3.1-flash-image");
    let one = admin.get(&path(&model)).await;
    assert_eq!(one.expect(200).json(), model);
    let tag = one.header("etag").expect("a tag");
    let again = admin.with("if-none-match", tag).get(&path(&model)).await;
    again.expect(304);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_and_a_misspelt_filter_refused() {
    let app = App::start().await;
    let admin = app.register().await;
    let images = list(&admin, "?kind=image&provider=gemini").await;
    assert!(images.len() >= 3, "{images:?}");
    assert!(
        images
            .iter()
            .all(|model| model["kind"] == "image" && model["provider"] == "gemini")
    );
    for query in [
        "?kind=sound",
        "?provider=acme",
        "?al=true",
        "?all=yes",
        "?limit=0",
    ] {
        let reply = admin.get(&format!("/api/models{query}")).await;
        reply.expect_problem(400, "invalid_query");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn models_come_page_by_page() {
    let app = App::start().await;
    let admin = app.register().await;
    let whole = list(&admin, "").await;
    let mut pages = Vec::new();
    let mut next = Some("/api/models?limit=7".to_owned());
    while let Some(path) = next {
        let reply = admin.get(&path).await;
        pages.extend(reply.expect(200).json().as_array().expect("a list").clone());
        next = reply.next_page().map(str::to_owned);
    }
    assert_eq!(pages, whole);
    assert!(whole.len() > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn requesters_see_no_models_and_only_admins_see_hidden_ones() {
    let app = App::start().await;
    let admin = app.register().await;
    let developer = app.member(&admin, "developer").await;
    let requester = app.member(&admin, "requester").await;
    requester
        .get("/api/models")
        .await
        .expect_problem(403, "forbidden");
    let model = named(&developer, "gpt-6-luna").await;
    admin
        .patch(&path(&model), &json!({"isActive": false}))
        .await
        .expect(200);
    let hidden =
        |models: &[serde_json::Value]| !models.iter().any(|shown| shown["id"] == model["id"]);
    assert!(hidden(&list(&developer, "").await) && hidden(&list(&admin, "").await));
    assert!(!hidden(&list(&admin, "?all=true").await));
    developer
        .get("/api/models?all=true")
        .await
        .expect_problem(403, "forbidden");
    developer
        .get(&path(&model))
        .await
        .expect_problem(404, "not_found");
    admin.get(&path(&model)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_sees_its_own_models_and_nobody_elses() {
    let app = App::start().await;
    let (ours, theirs) = (app.register().await, app.register().await);
    let model = add(&ours, json!({})).await;
    assert_eq!(named(&ours, "house-model").await["id"], model["id"]);
    assert!(
        !list(&theirs, "?all=true")
            .await
            .iter()
            .any(|seen| seen["name"] == "house-model")
    );
    for reply in [
        theirs.get(&path(&model)).await,
        theirs.patch(&path(&model), &json!({"label": "Ours"})).await,
        theirs.delete(&path(&model)).await,
    ] {
        reply.expect_problem(404, "not_found");
    }
}
