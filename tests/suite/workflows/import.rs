//! Workflows out of a browser.

use serde_json::json;
use tests::support::App;

use super::support::{WORKFLOWS, asked, execution, given, task};

const IMPORT: &str = "/api/import";

#[tokio::test(flavor = "multi_thread")]
async fn workflows_come_with_the_prompts_that_they_are_linked_to() {
    let app = App::start().await;
    let ada = app.register().await;
    let mut linked = asked("b", "", &["a"]);
    linked["promptId"] = json!("1700000000001");
    linked["inputKeys"] = json!(["a", ""]);
    let kept = json!({
        "prompts": [{"id": "1700000000001", "title": "Linked", "promptText": "[[mock: echo]] Say {{a}}."}],
        "workflows": json!([{"id": "wf-custom-1", "name": "Kept", "tasks": [given("a", &json!("{{userInput.text}}"), &[]), linked]}]).to_string(),
    });
    let first = ada.post(IMPORT, &kept).await.expect(200).json();
    assert_eq!(first["counts"]["created"], 2, "{first}");
    let second = ada.post(IMPORT, &kept).await.expect(200).json();
    assert_eq!(
        second["counts"],
        json!({"created": 0, "updated": 0, "unchanged": 2, "faults": 0})
    );
    let id = first["rows"][1]["id"].as_str().expect("an id");
    let started = ada
        .post(
            &format!("{WORKFLOWS}/{id}/execute"),
            &json!({"userInput": {"text": "ho"}}),
        )
        .await;
    app.drain().await;
    let id = started.expect(202).json()["executionId"].clone();
    let execution = execution(&ada, id.as_str().expect("an id")).await;
    assert_eq!(task(&execution, "b")["result"], "Say ho.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_with_a_fault_keeps_everything_out_and_says_so() {
    let app = App::start().await;
    let ada = app.register().await;
    let before = ada.get(WORKFLOWS).await.json();
    let kept = json!({"workflows": [
        {"id": "wf-1", "name": "Good", "tasks": [given("a", &json!(1), &[])]},
        {"id": "wf-2", "name": "Round", "tasks": [given("a", &json!(1), &["a"])]},
        {"id": "wf-3", "name": "", "tasks": []},
        {"id": "wf-1", "name": "Twice", "tasks": [given("a", &json!(1), &[])]},
    ]});
    let mut fields = ada.post(IMPORT, &kept).await.faulty_fields();
    fields.sort();
    assert_eq!(
        fields,
        ["workflows[1].tasks", "workflows[2].name", "workflows[3]"]
    );
    assert_eq!(ada.get(WORKFLOWS).await.json(), before);
}
