//! What the existing single-page app does, with the bodies it sends.

use serde_json::{Value, json};
use tests::support::{App, Client};

use super::support::{PROMPTS, titles};

/// A prompt as the form of the app sends it: with an id of its own making, its times, and what it
/// keeps for showing.
fn from_the_form(id: &str, title: &str) -> Value {
    json!({
        "id": id,
        "title": title,
        "promptText": "Summarise {{article}} for {{reader}}.",
        "sflField": {"topic": "News", "taskType": "Summarization", "domainSpecifics": "", "keywords": "news, short"},
        "sflTenor": {"aiPersona": "Neutral Reporter", "targetAudience": ["General Public"], "desiredTone": "Objective", "interpersonalStance": ""},
        "sflMode": {"outputFormat": "Plain Text", "rhetoricalStructure": "", "lengthConstraint": "Short Paragraph (~50 words)", "textualDirectives": ""},
        "exampleOutput": "",
        "notes": "",
        "createdAt": "2024-01-01T00:00:00.000Z",
        "updatedAt": "2024-01-01T00:00:00.000Z",
        "isTesting": false,
        "geminiResponse": "Once upon a time",
        "geminiTestError": null,
    })
}

const ID: &str = "0d0f1c66-30f0-4d0e-9d21-0d8ac4d6a1b7";

async fn manual_create(client: &Client, title: &str) -> Value {
    let body = from_the_form(ID, title);
    let reply = client.put(&format!("{PROMPTS}/{ID}"), &body).await;
    reply.expect(201).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_on_load_can_be_filtered_in_the_browser_without_a_null_check() {
    let app = App::start().await;
    let ada = app.register().await;
    assert_eq!(ada.get(PROMPTS).await.expect(200).json(), json!([]));
    let bare = json!({"title": "Bare", "promptText": "Hi."});
    ada.post(PROMPTS, &bare).await.expect(201);
    // Twice, as the app does in its strict mode.
    for _ in 0..2 {
        let list = ada.get(PROMPTS).await.expect(200).json();
        let row = &list[0];
        assert_eq!(row["sflTenor"]["targetAudience"], json!([]));
        for (object, members) in [
            (
                "sflField",
                ["topic", "taskType", "domainSpecifics", "keywords"].as_slice(),
            ),
            (
                "sflTenor",
                &["aiPersona", "desiredTone", "interpersonalStance"],
            ),
            (
                "sflMode",
                &[
                    "outputFormat",
                    "rhetoricalStructure",
                    "lengthConstraint",
                    "textualDirectives",
                ],
            ),
        ] {
            for member in members {
                assert_eq!(row[object][member], "", "{object}.{member}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_create_is_a_put_with_an_id_of_the_browsers_making() {
    let app = App::start().await;
    let ada = app.register().await;
    let created = manual_create(&ada, "Summary").await;
    assert_eq!(created["id"], ID);
    assert_eq!(created["placeholders"], json!(["article", "reader"]));
    assert_eq!(created["expectedOutput"], "none");
    assert_eq!(created["kind"], "generator");
    assert_eq!(created["visibility"], "private");
    assert_eq!(created["owner"]["id"], ada.id());
    for view_state in ["isTesting", "geminiResponse", "geminiTestError"] {
        assert!(created.get(view_state).is_none(), "{created}");
    }
    assert!(created["createdAt"].as_str() > Some("2025"), "{created}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_a_put_of_the_whole_prompt() {
    let app = App::start().await;
    let ada = app.register().await;
    let created = manual_create(&ada, "Summary").await;
    let mut edited = created.clone();
    edited["title"] = json!("Better summary");
    edited["sflTenor"]["targetAudience"] = json!(["Experts", "Beginners"]);
    edited["isTesting"] = json!(true);
    let path = format!("{PROMPTS}/{ID}");
    let reply = ada.put(&path, &edited).await.expect(200).json();
    assert_eq!(reply["title"], "Better summary");
    assert_eq!(reply["createdAt"], created["createdAt"]);
    assert_eq!(reply["promptText"], created["promptText"]);
    let list = ada.get(PROMPTS).await.json();
    assert_eq!(titles(&list), ["Better summary"]);
    assert_eq!(list[0], reply);
    assert_eq!(ada.get(&path).await.json(), reply);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_answers_nothing_and_what_is_gone_is_a_message() {
    let app = App::start().await;
    let ada = app.register().await;
    manual_create(&ada, "Summary").await;
    let path = format!("{PROMPTS}/{ID}");
    let reply = ada.delete(&path).await;
    assert_eq!(reply.expect(204).body, b"");
    let problem = ada.get(&path).await.expect_problem(404, "not_found");
    assert!(problem["message"].is_string());
    ada.delete(&path).await.expect_problem(404, "not_found");
    assert_eq!(ada.get(PROMPTS).await.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_sends_the_text_with_its_values_put_in_and_shows_the_text_of_the_answer() {
    let app = App::start().await;
    let ada = app.register().await;
    let mut prompt = manual_create(&ada, "Summary").await;
    // The app puts the values in by itself, and leaves what nobody filled in.
    let text = prompt["promptText"].as_str().expect("a text");
    let text = text.replace("{{article}}", "[[mock: echo]] the news of {{today}}");
    for path in ["/api/gemini/test-prompt", "/api/gemini/test"] {
        let reply = ada.post(path, &json!({"promptText": text})).await;
        let reply = reply.expect(200).json();
        let answer = reply["text"].as_str().expect("a text");
        assert!(answer.contains("the news of {{today}} for {{reader}}."));
        prompt["geminiResponse"] = reply["text"].clone();
    }
    let failing = json!({"promptText": "[[mock: error=overloaded]] Hi."});
    let failed = ada.post("/api/gemini/test-prompt", &failing).await;
    let problem = failed.expect_problem(502, "provider_failed");
    prompt["geminiTestError"] = problem["message"].clone();
    assert!(prompt["geminiTestError"].is_string(), "{problem}");
    let empty = ada
        .post("/api/gemini/test-prompt", &json!({"promptText": ""}))
        .await;
    assert!(empty.expect_problem(422, "invalid")["message"].is_string());
    // What was shown travels along when the prompt is saved, and is not kept.
    prompt["isTesting"] = json!(false);
    let saved = ada.put(&format!("{PROMPTS}/{ID}"), &prompt).await;
    let saved = saved.expect(200).json();
    for view_state in ["isTesting", "geminiResponse", "geminiTestError"] {
        assert!(saved.get(view_state).is_none(), "{saved}");
    }
    assert_eq!(saved["promptText"], prompt["promptText"]);
}
