//! Asking a model directly, through the mock provider.

mod browser;
mod draft;
mod test_prompt;
mod wishes;

use serde_json::{Value, json};
use tests::support::{App, Client, Options, Reply};

const PATH: &str = "/api/gemini/test-prompt";

async fn ask(client: &Client, prompt: &str) -> Reply {
    client
        .post(PATH, &json!({"promptText": prompt, "isTesting": true}))
        .await
}

/// A model of the mock provider that costs something.
async fn priced(client: &Client) {
    let model = json!({
        "provider": "mock", "model": "text-1", "label": "Mock with a price", "kind": "text", "isDefault": true,
        "prices": [
            {"effectiveFrom": "2026-01-01T00:00:00Z", "input": "0.75", "output": "3.75"},
            {"effectiveFrom": "2026-01-01T00:00:00Z", "tierFromInputTokens": 200_001, "input": "1.50", "output": "7.50"},
        ],
    });
    client.post("/api/models", &model).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_key_the_mock_answers_and_says_so() {
    let app = App::start().await;
    let admin = app.register().await;
    let developer = app.member(&admin, "developer").await;
    for path in [PATH, "/api/gemini/test"] {
        let reply = developer
            .post(path, &json!({"promptText": "[[mock: echo]] Hello"}))
            .await;
        let reply = reply.expect(200).json();
        assert!(
            reply["text"].as_str().expect("a text").contains("Hello"),
            "{reply}"
        );
        assert_eq!(reply["model"], "mock/text-1");
        assert_eq!(reply["cost"], "0");
        assert_eq!(reply["finish"], "stop");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_costs_what_the_price_list_says() {
    let app = App::start().await;
    let admin = app.register().await;
    priced(&admin).await;
    let cost = async |usage: &str| {
        let reply = ask(&admin, &format!("[[mock: usage={usage}]] Hello")).await;
        reply.expect(200).json()["cost"].clone()
    };
    // 1000 × 0.75 + 200 × 3.75 = 750 + 750 millionths of a dollar.
    assert_eq!(cost("1000/200").await, "0.0015");
    // 200 000 × 0.75 = 0.15; one token more and all of them cost double: 200 001 × 1.50 = 0.3000015.
    assert_eq!(cost("200000/0").await, "0.15");
    assert_eq!(cost("200001/0").await, "0.3000015");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_price_is_no_price_of_nothing() {
    let app = App::start().await;
    let admin = app.register().await;
    let model =
        json!({"provider": "mock", "model": "unpriced", "label": "Unpriced", "kind": "text"});
    admin.post("/api/models", &model).await.expect(201);
    let body = json!({"promptText": "Hello", "model": "mock/unpriced"});
    let reply = admin.post(PATH, &body).await.expect(200).json();
    assert_eq!(reply["cost"], Value::Null, "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_with_a_reason() {
    let app = App::start().await;
    let admin = app.register().await;
    let requester = app.member(&admin, "requester").await;
    ask(&requester, "Hello")
        .await
        .expect_problem(403, "forbidden");
    let wrong = admin
        .post(PATH, &json!({"promptText": " ", "model": ""}))
        .await;
    wrong.expect_problem(422, "invalid");
    assert_eq!(wrong.faulty_fields(), ["model", "promptText"]);
    for model in ["no-such-model", "gemini-3.8-flash", "mock/lexical-1"] {
        let body = json!({"promptText": "Hello", "model": model});
        let reply = admin.post(PATH, &body).await;
        reply.expect_problem(422, "invalid");
        assert_eq!(reply.faulty_fields(), ["model"], "{model}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_is_told_apart_from_one_that_asks_to_wait() {
    let app = App::start().await;
    let admin = app.register().await;
    for (directive, status, code) in [
        ("error=overloaded", 502, "provider_failed"),
        ("error=unauthorized", 502, "provider_failed"),
        ("error=too-long", 422, "invalid"),
        ("rate-limit=31s", 429, "too_many_requests"),
        ("quota-spent=1h", 429, "too_many_requests"),
    ] {
        let reply = ask(&admin, &format!("[[mock: {directive}]] Hello")).await;
        reply.expect_problem(status, code);
        assert_eq!(
            reply.header("retry-after").is_some(),
            status == 429,
            "{directive}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_companys_key_is_opened_for_its_own_call_only() {
    let app = App::start().await;
    let admin = app.register().await;
    let key = json!({"provider": "openai", "label": "a", "key": "sk-5ecret-5ecret"});
    admin.post("/api/provider-keys", &key).await.expect(201);
    // A server without the sealing key cannot use it, and says whom to ask.
    let poor = app
        .replica(Options::with(|config| {
            config.gateway.sealing.sealing_keys.clear();
        }))
        .await;
    let body = json!({"promptText": "Hello", "model": "gpt-6-luna"});
    let reply = admin.at(&poor.url).post(PATH, &body).await;
    let problem = reply.expect_problem(503, "unavailable");
    assert!(
        problem["detail"]
            .as_str()
            .expect("text")
            .contains("SEALING_KEYS")
    );
    // Another company has no key of its own, and is not lent this one.
    let stranger = app.register().await;
    let reply = stranger.post(PATH, &body).await;
    reply.expect_problem(422, "invalid");
}
