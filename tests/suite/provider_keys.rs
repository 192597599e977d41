//! Keys of model providers that a company brings along: stored sealed, never shown again.

mod sealing_anew;

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use api::re_seal::{self, ReSeal};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use diesel::{
    QueryableByName,
    sql_types::{Bytea, Text},
};
use diesel_async::RunQueryDsl as _;
use integrations::sealing::{Place, Sealed, Sealer, SealingConfig};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tests::support::{App, Client, Options, app::SEALING_KEY, redact::redacted};
use tracing_subscriber::fmt::MakeWriter;
use uuid::Uuid;

const KEY: &str = "sk-live-5ecret-5ecret-5ecret-wxyz";

fn body(label: &str) -> Value {
    json!({"provider": "openai", "label": label, "key": KEY})
}

async fn store(client: &Client, label: &str) -> Value {
    let reply = client.post("/api/provider-keys", &body(label)).await;
    reply.expect(201).json()
}

async fn list(client: &Client) -> Vec<Value> {
    let reply = client.get("/api/provider-keys").await;
    reply.expect(200).json().as_array().expect("a list").clone()
}

fn path(key: &Value) -> String {
    format!("/api/provider-keys/{}", key["id"].as_str().expect("an id"))
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: Uuid,
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    company_id: Uuid,
    #[diesel(sql_type = Bytea)]
    sealed: Vec<u8>,
    #[diesel(sql_type = Text)]
    sealing_key_id: String,
    #[diesel(sql_type = Text)]
    dump: String,
}

async fn rows(app: &App) -> Vec<Row> {
    let sql = "SELECT id, company_id, sealed, sealing_key_id, k::text AS dump FROM provider_keys k ORDER BY id";
    let mut conn = app.database().connect().await;
    diesel::sql_query(sql).load(&mut conn).await.expect("rows")
}

fn sealing(keys: &[String]) -> SealingConfig {
    SealingConfig {
        sealing_keys: keys.iter().map(|key| key.as_str().into()).collect(),
    }
}

/// A sealing key that is not the one of the server.
fn another(name: &str) -> String {
    format!("{name}:{}", BASE64_STANDARD.encode([7; 32]))
}

fn opened(keys: &[String], row: &Row) -> Option<String> {
    let sealed = Sealed {
        bytes: row.sealed.clone(),
        key_id: row.sealing_key_id.clone(),
    };
    let place = Place {
        table: "provider_keys",
        company: row.company_id,
        row: row.id,
    };
    let secret = Sealer::new(&sealing(keys)).open(&sealed, place).ok()?;
    Some(secret.expose_secret().to_owned())
}

fn re_seal(app: &App, keys: &[String]) -> ReSeal {
    ReSeal {
        sealing: sealing(keys),
        db: app.config.db.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_stored_sealed_and_shown_by_its_last_four_characters() {
    let app = App::start().await;
    let admin = app.register().await;
    let made = store(&admin, "Production").await;
    insta::assert_json_snapshot!(redacted(&made), @r#"
    {
      "baseUrl": null,
      "createdAt": "[time]",
      "id": "[id]",
      "isDefault": true,
      "label": "Production",
      "lastFour": "wxyz",
      "pauseNote": null,
      "pausedAt": null,
      "pausedBy": null,
      "provider": "openai"
    }
    "#);
    assert_eq!(list(&admin).await, [made]);
    let rows = rows(&app).await;
    assert!(!rows[0].dump.contains("5ecret"), "{}", rows[0].dump);
    let hex = hex::encode(KEY);
    assert!(!rows[0].dump.contains(&hex), "{}", rows[0].dump);
    assert_eq!(
        opened(&[SEALING_KEY.into()], &rows[0]).as_deref(),
        Some(KEY)
    );
}

/// What the server logs while a test runs in it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_and_no_log_line_ever_holds_a_key() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // Each test is a process of its own, so this is nobody else's log.
    tracing::subscriber::set_global_default(subscriber).expect("the only subscriber");
    let app = App::start().await;
    let admin = app.register().await;
    let made = store(&admin, "Production").await;
    let with_idempotency = admin.with("idempotency-key", "once");
    let mut replies = vec![
        admin.post("/api/provider-keys", &body("Production")).await,
        admin
            .post(
                "/api/provider-keys",
                &json!({"provider": "acme", "label": "", "key": KEY, "baseUrl": KEY}),
            )
            .await,
        admin
            .post(
                "/api/provider-keys",
                &json!({"provider": "openai", "label": "x", "key": [KEY]}),
            )
            .await,
        admin
            .post(
                "/api/provider-keys",
                &json!({"provider": "openai", "label": "x", "key": format!("{KEY} {KEY}")}),
            )
            .await,
        with_idempotency
            .post("/api/provider-keys", &body("Twice"))
            .await,
        with_idempotency
            .post("/api/provider-keys", &body("Twice"))
            .await,
        admin.get("/api/provider-keys").await,
        admin.get("/api/providers/health").await,
        admin.get("/api/models").await,
    ];
    replies.push(admin.delete(&path(&made)).await);
    for reply in replies {
        assert!(!reply.text().contains("5ecret"), "{}", reply.text());
    }
    re_seal::run(re_seal(&app, &[another("next"), SEALING_KEY.into()]))
        .await
        .expect("sealed anew");
    let written = String::from_utf8_lossy(&log.0.lock().expect("a lock")).into_owned();
    assert!(written.contains("request"), "nothing was logged");
    assert!(!written.contains("5ecret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_admins_of_the_company_touch_keys() {
    let app = App::start().await;
    let (ours, theirs) = (app.register().await, app.register().await);
    let made = store(&ours, "Production").await;
    for role in ["lead", "developer", "requester"] {
        let member = app.member(&ours, role).await;
        for reply in [
            member.get("/api/provider-keys").await,
            member.post("/api/provider-keys", &body("Mine")).await,
            member.delete(&path(&made)).await,
        ] {
            reply.expect_problem(403, "forbidden");
        }
    }
    assert!(list(&theirs).await.is_empty());
    theirs
        .delete(&path(&made))
        .await
        .expect_problem(404, "not_found");
    let theirs_model = json!({"provider": "openai", "model": "m", "label": "M", "kind": "text", "providerKeyId": made["id"]});
    let reply = theirs.post("/api/models", &theirs_model).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["providerKeyId"]);
    // Nor is a key good for a model of another provider.
    let mut model = theirs_model.clone();
    model["provider"] = "anthropic".into();
    ours.post("/api/models", &model)
        .await
        .expect_problem(422, "invalid");
    ours.delete(&path(&made)).await.expect(204);
    assert!(list(&ours).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_key_are_told_at_once() {
    let app = App::start().await;
    let admin = app.register().await;
    let wrong = json!({"provider": "acme", "label": " ", "key": "short"});
    let reply = admin.post("/api/provider-keys", &wrong).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["key", "label", "provider"]);
    let wrong = json!({"provider": "mock", "label": "x", "key": KEY, "baseUrl": "http://169.254.169.254/latest"});
    let reply = admin.post("/api/provider-keys", &wrong).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["baseUrl", "provider"]);
    store(&admin, "Production").await;
    let again = admin.post("/api/provider-keys", &body("Production")).await;
    again.expect_problem(409, "conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_inside_is_refused_unless_the_operator_allows_it() {
    let app = App::start().await;
    let admin = app.register().await;
    let at = |address: &str| {
        let mut body = body(address);
        body["baseUrl"] = address.into();
        body
    };
    for address in [
        "http://127.0.0.1:11434/v1",
        "https://localhost/v1",
        "https://[::ffff:10.0.0.1]/",
        "http://api.example.com/",
        "nonsense",
    ] {
        let reply = admin.post("/api/provider-keys", &at(address)).await;
        reply.expect_problem(422, "invalid");
        assert_eq!(reply.faulty_fields(), ["baseUrl"], "{address}");
    }
    let outside = admin
        .post("/api/provider-keys", &at("https://llm.example.com/v1/"))
        .await;
    let outside = outside.expect(201).json();
    assert_eq!(outside["baseUrl"], "https://llm.example.com/v1");
    assert_eq!(outside["isDefault"], false);
    let lenient = app
        .replica(Options::with(|config| {
            config.gateway.reach.allowed_private_hosts = vec!["ollama".into()];
        }))
        .await;
    let admin = admin.at(&lenient.url);
    let inside = admin
        .post("/api/provider-keys", &at("http://ollama:11434/v1"))
        .await;
    inside.expect(201);
    let other = admin
        .post("/api/provider-keys", &at("http://postgres:5432"))
        .await;
    other.expect_problem(422, "invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_a_model_names_stays_until_the_model_lets_it_go() {
    let app = App::start().await;
    let admin = app.register().await;
    let made = store(&admin, "Production").await;
    let model = json!({"provider": "openai", "model": "m", "label": "M", "kind": "text", "providerKeyId": made["id"]});
    let model = admin.post("/api/models", &model).await.expect(201).json();
    admin
        .delete(&path(&made))
        .await
        .expect_problem(409, "conflict");
    let model = format!("/api/models/{}", model["id"].as_str().expect("an id"));
    admin
        .patch(&model, &json!({"providerKeyId": null}))
        .await
        .expect(200);
    admin.delete(&path(&made)).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sealing_key_no_key_is_taken_and_the_answer_says_what_to_set() {
    let app = App::start_with(Options::with(|config| {
        config.gateway.sealing.sealing_keys.clear();
    }))
    .await;
    let admin = app.register().await;
    let reply = admin.post("/api/provider-keys", &body("Production")).await;
    let problem = reply.expect_problem(503, "unavailable");
    assert!(
        problem["detail"]
            .as_str()
            .expect("text")
            .contains("SEALING_KEYS")
    );
    assert!(list(&admin).await.is_empty());
}

#[test]
fn a_start_with_broken_sealing_keys_names_every_fault() {
    let config = sealing(&["a:AAAA".into(), "no key".into(), another("b"), another("b")]);
    assert_eq!(config.faults().len(), 3, "{:?}", config.faults());
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_whose_key_a_provider_is_called_with_and_what_it_said() {
    // Nothing listens there.
    let nowhere: url::Url = "http://127.0.0.1:9".parse().expect("an address");
    let app = App::start_with(Options::with(move |config| {
        config.gateway.gemini.api_key = Some("installation-key".into());
        config.gateway.gemini.base_url = nowhere.clone();
        config.gateway.openai.base_url = nowhere;
    }))
    .await;
    let (ours, theirs) = (app.register().await, app.register().await);
    store(&ours, "a").await;
    let developer = app.member(&ours, "developer").await;
    let health = async |client: &Client| {
        let reply = client.get("/api/providers/health").await;
        reply.expect(200).json()
    };
    let seen = health(&developer).await;
    let row = |place: usize, provider: &str, credential: Value| {
        assert_eq!(seen[place]["provider"], provider, "{seen}");
        assert_eq!(seen[place]["credential"], credential, "{seen}");
        seen[place]["check"].clone()
    };
    assert_eq!(
        row(0, "gemini", "environment".into())["errorClass"],
        "provider_timeout"
    );
    assert_eq!(
        row(1, "openai", "company".into())["errorClass"],
        "provider_timeout"
    );
    assert_eq!(row(2, "anthropic", Value::Null), Value::Null);
    assert_eq!(row(3, "mock", "builtIn".into())["ok"], true);
    assert_eq!(health(&ours).await, seen, "asked again within the minute");
    assert_eq!(health(&theirs).await[1]["credential"], Value::Null);
    // A key that no call would be made with serves nothing.
    let mut spare = body("spare");
    spare["isDefault"] = false.into();
    let stored = theirs.post("/api/provider-keys", &spare).await;
    stored.expect(201);
    assert_eq!(health(&theirs).await[1]["credential"], Value::Null);
    // With another key the old answer is worth nothing.
    store(&ours, "b").await;
    assert_ne!(health(&ours).await[1]["check"], seen[1]["check"]);
}
