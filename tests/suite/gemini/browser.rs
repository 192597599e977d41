//! The requests of the existing browser app, as it sends them, and what it relies on in the answers.

use serde_json::{Value, json};
use tests::support::{App, Client};

/// A prompt as the app holds it: with what the server gave it, and with what only the app knows.
fn held() -> Value {
    json!({
        "id": "0b0c0ffe-0000-4000-8000-000000000001",
        "title": "Explain tides", "promptText": "Explain tides to {{reader}}.",
        "sflField": {"topic": "Tides", "taskType": "Explanation", "domainSpecifics": "", "keywords": "moon, sea"},
        "sflTenor": {"aiPersona": "Teacher/Tutor", "targetAudience": ["Beginners", "General Public"],
                     "desiredTone": "Formal", "interpersonalStance": ""},
        "sflMode": {"outputFormat": "Markdown", "rhetoricalStructure": "", "lengthConstraint": "No Specific Limit",
                    "textualDirectives": ""},
        "exampleOutput": "", "notes": "", "sourceDocument": {"name": "tides.md", "content": "The moon pulls."},
        "createdAt": "2026-10-01T10:00:00.000Z", "updatedAt": "2026-10-02T10:00:00.000Z",
        "geminiResponse": null, "geminiTestError": null, "isTesting": false,
    })
}

/// What the app reads of a prompt without asking whether it is there.
fn assert_shown_as_a_prompt(draft: &Value) {
    for (group, members) in [
        (
            "sflField",
            vec!["topic", "taskType", "domainSpecifics", "keywords"],
        ),
        (
            "sflTenor",
            vec!["aiPersona", "desiredTone", "interpersonalStance"],
        ),
        (
            "sflMode",
            vec![
                "outputFormat",
                "rhetoricalStructure",
                "lengthConstraint",
                "textualDirectives",
            ],
        ),
    ] {
        for member in members {
            assert!(
                draft[group][member].is_string(),
                "{group}.{member}: {draft}"
            );
        }
    }
    assert!(draft["sflTenor"]["targetAudience"].is_array(), "{draft}");
    assert!(
        draft["title"].is_string() && draft["promptText"].is_string(),
        "{draft}"
    );
    for member in ["id", "createdAt", "updatedAt"] {
        assert_eq!(draft.get(member), None, "{member}");
    }
}

async fn developer() -> (App, Client) {
    let app = App::start().await;
    let admin = app.register().await;
    let developer = app.member(&admin, "developer").await;
    (app, developer)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_tries_a_prompt_by_its_text_alone() {
    let (_app, ada) = developer().await;
    for path in ["/api/gemini/test-prompt", "/api/gemini/test"] {
        let reply = ada
            .post(path, &json!({"promptText": "Explain tides to sailors."}))
            .await;
        assert!(reply.expect(200).json()["text"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_has_a_prompt_drafted_with_and_without_a_document() {
    let (_app, ada) = developer().await;
    let path = "/api/gemini/generate-sfl";
    let plain = ada.post(path, &json!({"goal": "Explain tides"})).await;
    let plain = plain.expect(200).json();
    assert_shown_as_a_prompt(&plain);
    assert!(
        plain.get("sourceDocument").is_none_or(Value::is_null),
        "{plain}"
    );
    let body = json!({"goal": "Explain tides", "sourceDocContent": "The moon pulls."});
    let grounded = ada.post(path, &body).await.expect(200).json();
    assert_shown_as_a_prompt(&grounded);
    assert_eq!(grounded["sourceDocument"]["content"], "The moon pulls.");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_has_a_prompt_changed_and_sends_all_it_holds() {
    let (_app, ada) = developer().await;
    let body = json!({"currentPrompt": held(), "suggestion": "Make it shorter."});
    let draft = ada
        .post("/api/gemini/regenerate-sfl", &body)
        .await
        .expect(200)
        .json();
    assert_shown_as_a_prompt(&draft);
    assert_eq!(draft["sourceDocument"], held()["sourceDocument"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_finds_what_to_show_in_every_error() {
    let (_app, ada) = developer().await;
    for (path, body) in [
        ("/api/gemini/test-prompt", json!({"promptText": ""})),
        ("/api/gemini/generate-sfl", json!({"goal": ""})),
        (
            "/api/gemini/test-prompt",
            json!({"promptText": "[[mock: error=overloaded]] x"}),
        ),
    ] {
        let reply = ada.post(path, &body).await;
        assert!(
            reply.json()["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
    }
}
