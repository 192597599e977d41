//! No secret is ever entered.

use serde_json::json;
use tests::support::{App, app::PASSWORD, make};

use super::rows;

#[tokio::test(flavor = "multi_thread")]
async fn no_entry_holds_a_secret() {
    let app = App::start().await;
    let admin = app.register().await;
    let key = "sk-live-5ecret-5ecret-5ecret-wxyz";
    let body = json!({"provider": "openai", "label": "Ours", "key": key});
    admin.post("/api/provider-keys", &body).await.expect(201);
    let body = json!({"name": "CI", "scopes": ["read"]});
    let made = admin.post("/api/api-keys", &body).await.expect(201).json();
    let own = made["key"].as_str().expect("a key").to_owned();
    app.anonymous()
        .bearing(&own)
        .get("/api/users")
        .await
        .expect(200);
    let body = json!({"email": make::email(), "role": "developer"});
    let invited = admin
        .post("/api/invitations", &body)
        .await
        .expect(201)
        .json();
    let token = invited["token"].as_str().expect("a token").to_owned();
    app.member(&admin, "developer").await;
    let body = json!({"currentPassword": PASSWORD, "newPassword": "another-Otter-2031"});
    admin.post("/api/auth/password", &body).await;
    let stored = "SELECT encode(key_hash, 'hex') AS secret FROM api_keys
        UNION ALL SELECT encode(token_hash, 'hex') FROM invitations
        UNION ALL SELECT encode(sealed, 'hex') FROM provider_keys
        UNION ALL SELECT password_hash FROM users";
    let stored = rows(&app, stored).await;
    assert!(stored.len() >= 5);
    let log = rows(&app, "SELECT * FROM audit_entries").await;
    let log = serde_json::to_string(&log).expect("JSON");
    let mut secrets: Vec<String> = [key, &own, &token, PASSWORD, "another-Otter-2031", "$argon2"]
        .map(ToOwned::to_owned)
        .into();
    let text = |row: &serde_json::Value| row["secret"].as_str().expect("a secret").to_owned();
    secrets.extend(stored.iter().map(text));
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in {log}");
    }
    for entity in ["providerKey", "apiKey", "invitation", "user"] {
        assert!(
            log.contains(&format!("\"{entity}\"")),
            "{entity} is not in the log"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_watched_table_has_a_column_of_bytes_or_of_a_secrets_name_that_is_kept() {
    let app = App::start().await;
    let kept = "SELECT t.tgrelid::regclass::text AS watched, a.attname
        FROM pg_trigger t JOIN pg_attribute a ON a.attrelid = t.tgrelid
        WHERE t.tgfoid = 'audit_change()'::regprocedure AND a.attnum > 0 AND NOT a.attisdropped
          AND (a.atttypid = 'bytea'::regtype OR a.attname ~ '(password|sealed|hash|secret)')
          AND NOT a.attname::text = ANY (string_to_array(btrim(split_part(encode(t.tgargs, 'escape'), '\\000', 3), '{}'), ','))";
    let kept = rows(&app, kept).await;
    assert!(kept.is_empty(), "{kept:?}");
    let watched =
        "SELECT DISTINCT tgrelid FROM pg_trigger WHERE tgfoid = 'audit_change()'::regprocedure";
    assert!(rows(&app, watched).await.len() >= 19);
}
