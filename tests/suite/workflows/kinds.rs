//! What each kind of task does.

use serde_json::{Value, json};
use tests::support::App;

use super::support::{asked, function, given, performed, task};

#[tokio::test(flavor = "multi_thread")]
async fn values_keep_their_types_on_their_way_through_a_workflow() {
    let app = App::start().await;
    let ada = app.register().await;
    let tasks = json!([
        given("whole", &json!("{{ userInput.list }}"), &[]),
        given("text", &json!("There are {{userInput.list.length}}: {{ userInput.list }} {{unknown}}"), &[]),
        given("object", &json!({"kept": "{{userInput.list}}"}), &[]),
        function("sum", "return inputs.whole.reduce((a, b) => a + b, 0);", &["whole"]),
        function("nothing", "", &["sum"]),
        {"id": "chart", "name": "chart", "type": "DISPLAY_CHART", "outputKey": "chart", "dependencies": ["bars"], "dataKey": "bars.data"},
        given("bars", &json!({"data": [{"name": "a", "value": 1}]}), &[]),
        {"id": "simulated", "name": "Pump", "type": "SIMULATE_PROCESS", "outputKey": "simulated", "staticValue": 1},
    ]);
    let mut tasks = tasks;
    tasks[4]["functionBody"] = json!("let unused = inputs.sum;");
    let execution = performed(&app, &ada, &tasks, &json!({"list": [1, 2, 3.5]})).await;
    let result = |id: &str| task(&execution, id)["result"].clone();
    assert_eq!(execution["status"], "completed", "{execution}");
    assert_eq!(result("whole"), json!([1, 2, 3.5]));
    assert_eq!(
        result("text"),
        json!("There are 3: [\n  1,\n  2,\n  3.5\n] {{unknown}}")
    );
    assert_eq!(result("object"), json!({"kept": "{{userInput.list}}"}));
    assert_eq!(result("sum"), json!(6.5));
    assert_eq!(result("nothing"), Value::Null);
    assert_eq!(result("chart"), json!([{"name": "a", "value": 1}]));
    assert_eq!(
        result("simulated"),
        json!({"status": "ok", "message": "Simulated process for Pump completed."})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_linked_prompt_brings_its_text_and_its_instructions() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = json!({
        "title": "Linked", "promptText": "[[mock: echo]] About {{topic}}.",
        "sflTenor": {"aiPersona": "Teacher", "targetAudience": ["Beginners"], "desiredTone": "Friendly"},
        "sflMode": {"textualDirectives": "[[mock: say=told]]"},
    });
    let prompt = ada.post("/api/prompts", &prompt).await.expect(201).json();
    let mut linked = asked("linked", "not this", &[]);
    linked["promptId"] = prompt["id"].clone();
    linked["inputKeys"] = json!(["userInput.topic"]);
    linked["agentConfig"]["systemInstruction"] = json!("[[mock: say=mine]]");
    let tasks = json!([linked]);
    // The mock is told by the instructions that the prompt's directives became.
    let execution = performed(&app, &ada, &tasks, &json!({"topic": "bees"})).await;
    assert_eq!(
        task(&execution, "linked")["status"],
        "COMPLETED",
        "{execution}"
    );
    assert_ne!(task(&execution, "linked")["result"], "mine");
    // What the prompt said when the execution was started counts.
    let path = format!("/api/prompts/{}", prompt["id"].as_str().expect("an id"));
    let plain = json!({"sflTenor": {}, "sflMode": {}});
    ada.patch(&path, &plain).await.expect(200);
    linked["agentConfig"] = json!({"model": "mock/text-1"});
    let id = super::support::start(&ada, &json!([linked]), &json!({"topic": "bees"})).await;
    ada.patch(&path, &json!({"promptText": "[[mock: say=changed]]"}))
        .await
        .expect(200);
    app.drain().await;
    let execution = super::support::execution(&ada, &id).await;
    assert_eq!(task(&execution, "linked")["result"], "About bees.");
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_priced_and_counted() {
    let app = App::start().await;
    let ada = app.register().await;
    let tasks = json!([
        asked("a", "[[mock: echo]] Say {{userInput.text}}", &[]),
        given("b", &json!(1), &[])
    ]);
    let execution = performed(&app, &ada, &tasks, &json!({"text": "hello"})).await;
    let a = task(&execution, "a");
    assert_eq!(
        (a["result"].as_str(), a["modelVersion"].as_str()),
        (Some("Say hello"), Some("text-1"))
    );
    assert!(
        a["tokensIn"].as_i64().is_some_and(|tokens| tokens > 0),
        "{a}"
    );
    assert_eq!(execution["tokensIn"], a["tokensIn"]);
    assert_eq!(execution["cost"], a["cost"]);
    let free = task(&execution, "b");
    assert_eq!(
        (free["tokensIn"].clone(), free["cost"].clone()),
        (json!(0), json!("0"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_shown_to_a_model_that_sees() {
    let app = App::start().await;
    let ada = app.register().await;
    let gif = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
    let mut look = asked("look", "[[mock: echo]] What is it?", &["picture"]);
    look["type"] = json!("IMAGE_ANALYSIS");
    let picture = given("picture", &json!("{{userInput.image}}"), &[]);
    let tasks = json!([picture, look]);
    let shown = json!({"image": {"name": "a.gif", "type": "image/gif", "base64": gif}});
    let execution = performed(&app, &ada, &tasks, &shown).await;
    assert_eq!(
        task(&execution, "look")["result"],
        "What is it?",
        "{execution}"
    );
    let execution = performed(&app, &ada, &tasks, &json!({"image": {"base64": "AAAA"}})).await;
    assert_eq!(task(&execution, "look")["errorCode"], "picture_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn passages_of_ones_own_documents_are_found() {
    let app = App::start().await;
    let ada = app.register().await;
    let stranger = app.register().await;
    let text = b"# Tides\n\nThe moon pulls the sea, and so the tides come and go.\n";
    ada.upload("/api/documents/upload", "tides.md", text, &[])
        .await
        .expect(201);
    app.drain().await;
    let search = json!([{
        "id": "found", "name": "found", "type": "DOCUMENT_SEARCH", "outputKey": "found",
        "promptTemplate": "What do {{userInput.text}} depend on?", "mode": "hybrid", "limit": 3,
    }]);
    let execution = performed(&app, &ada, &search, &json!({"text": "tides"})).await;
    let found = task(&execution, "found")["result"].clone();
    assert_eq!(found[0]["fileName"], "tides.md", "{execution}");
    let theirs = performed(&app, &stranger, &search, &json!({"text": "tides"})).await;
    assert_eq!(task(&theirs, "found")["result"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_has_no_host_and_its_failures_are_its_own() {
    let app = App::start().await;
    let ada = app.register().await;
    let tasks = json!([
        function("throws", "throw new Error('no ' + inputs);", &[]),
        function("reaches", "return process.env;", &[]),
        function("random", "return Math.random();", &[]),
        function("clock", "return Date.now();", &[]),
        function("fine", "return [1, 2].map(n => n * 2);", &[]),
    ]);
    let execution = performed(&app, &ada, &tasks, &json!({})).await;
    assert_eq!(execution["status"], "failed");
    for failed in ["throws", "reaches"] {
        let row = task(&execution, failed);
        assert_eq!(
            (row["status"].as_str(), row["errorCode"].as_str()),
            (Some("FAILED"), Some("function_failed")),
            "{row}"
        );
    }
    assert_eq!(task(&execution, "fine")["result"], json!([2, 4]));
    // Performed again, it draws the same numbers.
    let id = execution["id"].as_str().expect("an id");
    let again = format!("/api/executions/{id}/resume?from=random");
    ada.post_empty(&again).await.expect(202);
    app.drain().await;
    let second = super::support::execution(&ada, id).await;
    assert_eq!(
        task(&second, "random")["result"],
        task(&execution, "random")["result"]
    );
    assert_eq!(task(&second, "fine")["attempts"], 1);
}
