//! The watch over secrets that all tests stand under: it sees what it is to see.

use serde_json::json;
use tests::support::{App, secrets};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_as_a_secret_or_given_as_a_token_is_known_in_any_line() {
    let app = App::start().await;
    let ada = app.register().await;
    let key = json!({"provider": "openai", "label": "Own", "key": "sk-watched-5ecret"});
    ada.post("/api/provider-keys", &key).await.expect(201);
    assert!(
        tracing::dispatcher::has_been_set(),
        "lines are looked through"
    );
    let token = ada.signed_in["accessToken"].as_str().expect("a token");
    for secret in ["sk-watched-5ecret", token, ada.refresh_token()] {
        assert!(secrets::is_told_by(&format!(
            r#"{{"message":"asked with {secret}"}}"#
        )));
    }
    assert!(!secrets::is_told_by(r#"{"message":"asked with a key"}"#));
    // Nothing of this was said by the product itself.
    secrets::check();
}
