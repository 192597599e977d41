//! Workers reach the models of a company as the API does: with its own keys, under its rules.

use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;
use domain::{
    providers::generate::{Part, Request, Speaker, Turn},
    users::{CompanyId, UserId},
};
use gateway::ConnectError;
use serde_json::json;
use tests::{
    fakes::{openai, stage::Fake},
    support::{App, Client, Options},
};
use worker::Worker;

/// An installation that may call the fake by its address.
async fn lenient() -> App {
    App::start_with(Options::with(|config| {
        config.gateway.reach.allowed_private_hosts = vec!["127.0.0.1".into()];
    }))
    .await
}

/// A key of the company for the fake, which serves all models of OpenAI.
async fn store_key(client: &Client, fake: &Fake) {
    let key = json!({
        "provider": "openai", "label": "Own", "key": "sk-own-5ecret", "isDefault": true,
        "baseUrl": format!("{}/v1", fake.url),
    });
    client.post("/api/provider-keys", &key).await.expect(201);
}

async fn company(app: &App, client: &Client) -> CompanyId {
    use db::schema::users::dsl::{company_id, id, users};
    let me = client.get("/api/users/me").await.expect(200).json();
    let me: UserId = serde_json::from_value(me["user"]["id"].clone()).expect("an id");
    let found = users.filter(id.eq(me)).select(company_id);
    let mut conn = app.database().connect().await;
    found.first(&mut conn).await.expect("a company")
}

/// What a worker hears when it asks the company's model something.
async fn ask(worker: &Worker, company: CompanyId) -> Result<String, ConnectError> {
    let mut conn = worker.pool.get().await.expect("a connection");
    let wanted = "gpt-6-luna".parse().expect("a name");
    let resolved = db::models::resolve(&mut conn, company, &wanted).await;
    let resolved = resolved.expect("an answer").expect("a model");
    let provider = worker.gateway.connect(company, &resolved)?;
    let request = Request {
        model: resolved.model.model.as_str().to_owned(),
        turns: vec![Turn {
            speaker: Speaker::User,
            parts: vec![Part::Text("Hello".into())],
        }],
        ..Request::default()
    };
    let reply = provider.generate(&request).await;
    Ok(reply.expect("an answer").text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_calls_with_the_companys_key_and_at_its_address() {
    let (fake, app) = (openai::start().await, lenient().await);
    let admin = app.register().await;
    store_key(&admin, &fake).await;
    let said = ask(&app.worker(), company(&app, &admin).await).await;
    assert_eq!(said.expect("reached"), "You said: Hello");
    let heard = fake.heard();
    assert_eq!(heard[0].header("authorization"), "Bearer sk-own-5ecret");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_lends_nobodys_key_and_says_what_is_missing() {
    let (fake, app) = (openai::start().await, lenient().await);
    let (admin, stranger) = (app.register().await, app.register().await);
    store_key(&admin, &fake).await;
    let lacking = ask(&app.worker(), company(&app, &stranger).await).await;
    assert!(matches!(lacking, Err(ConnectError::NoKey(_))));
    let strict = app.worker_with(|config| config.gateway.reach.allowed_private_hosts.clear());
    let inside = ask(&strict, company(&app, &admin).await).await;
    assert!(matches!(inside, Err(ConnectError::Address(_))));
    let poor = app.worker_with(|config| config.gateway.sealing.sealing_keys.clear());
    let closed = ask(&poor, company(&app, &admin).await).await;
    let told = closed.expect_err("nothing opens it").to_string();
    assert!(told.contains("SEALING_KEYS"), "{told}");
    assert!(fake.heard().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_with_broken_sealing_keys_does_not_start() {
    let app = App::start().await;
    let mut config = app.worker().config;
    config.gateway.sealing.sealing_keys = vec!["a:AAAA".into(), " ".into(), "no key".into()];
    let worker = app.worker();
    let refused = worker::Worker::new(config, worker.extractor, worker.sandbox).map(|_| ());
    let refused = refused.expect_err("two faults").to_string();
    assert_eq!(refused.matches("SEALING_KEYS").count(), 2, "{refused}");
}
