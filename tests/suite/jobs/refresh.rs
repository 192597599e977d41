//! Documents are made anew when the embedding model or the rules of cutting change.

use diesel_async::RunQueryDsl as _;
use domain::providers::ProviderError;
use integrations::llm::gemini::GeminiConfig;
use serde_json::{Value, json};
use tests::{
    fakes::gemini::{Cue, FakeGemini},
    support::{App, Client, Options},
};
use worker::Worker;

use super::support::{Scripted, dump, passages, upload, worker_with};

const MOCK: &str = "mock/lexical-1";
const GEMINI: &str = "gemini/gemini-embedding-001";

/// Two documents, made with the mock.
async fn two_documents() -> (App, Client, [Value; 2]) {
    let app = App::start().await;
    let ada = app.register().await;
    let documents = [
        upload(&ada, "copper.md", &passages(3)).await,
        upload(&ada, "bees.md", "Bees dance to tell the way to water.").await,
    ];
    app.drain().await;
    (app, ada, documents)
}

fn keyed(fake: &FakeGemini) -> impl Fn(&mut GeminiConfig) + Clone + Send + 'static {
    let url = fake.url.parse::<url::Url>().expect("an address");
    move |config| {
        config.api_key = Some("good-key".into());
        config.base_url = url.clone();
    }
}

/// The same installation after a key was set: an API and a worker that use Gemini.
async fn with_gemini(app: &App, fake: &FakeGemini) -> (App, Worker) {
    let (key, again) = (keyed(fake), keyed(fake));
    let replica = app
        .replica(Options::with(move |config| key(&mut config.gateway.gemini)))
        .await;
    let worker = app.worker_with(|config| again(&mut config.gateway.gemini));
    (replica, worker)
}

/// The names of the documents that a question about water finds by meaning, each once, sorted.
async fn found(client: &Client) -> Vec<String> {
    let body = json!({"query": "water", "limit": 50});
    let answer = client.post("/api/search", &body).await.expect(200).json();
    let hits = answer["results"].as_array().expect("a list");
    let mut names: Vec<String> = hits
        .iter()
        .map(|hit| hit["fileName"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[derive(diesel::QueryableByName)]
struct Found {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// The models that documents are found under.
async fn models(app: &App) -> Vec<String> {
    let sql = "SELECT DISTINCT m.name FROM documents d JOIN embedding_models m ON m.id = d.live_model_id ORDER BY 1";
    let rows: Vec<Found> = diesel::sql_query(sql)
        .load(&mut app.database().connect().await)
        .await
        .expect("rows");
    rows.into_iter().map(|row| row.name).collect()
}

async fn passages_of(client: &Client, document: &Value) -> usize {
    let id = document["id"].as_str().expect("an id");
    let chunks = client.get(&format!("/api/documents/{id}/chunks")).await;
    chunks.expect(200).json().as_array().expect("a list").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_found_by_meaning_before_while_and_after_it_is_made_anew() {
    let (app, ada, documents) = two_documents().await;
    let cut = passages_of(&ada, &documents[0]).await;
    let fake = FakeGemini::start().await;
    let (replica, worker) = with_gemini(&app, &fake).await;
    let there = ada.at(&replica.url);
    assert_eq!(found(&there).await, ["bees.md", "copper.md"]);

    let mut conn = app.database().connect().await;
    db::documents::refresh::choose(&mut conn, GEMINI)
        .await
        .expect("chosen");
    let begun = db::documents::refresh::begin(&mut conn, GEMINI, 1).await;
    assert_eq!(begun.expect("one document"), 1);
    assert_eq!(found(&there).await, ["bees.md", "copper.md"]);
    worker::drain(&worker).await.expect("drained");
    assert_eq!(models(&app).await, [GEMINI, MOCK]);
    assert_eq!(found(&there).await, ["bees.md", "copper.md"]);

    worker::begin(&worker).await.expect("begun");
    worker::drain(&worker).await.expect("drained");
    assert_eq!(models(&app).await, [GEMINI]);
    assert_eq!(found(&there).await, ["bees.md", "copper.md"]);
    assert_eq!(passages_of(&ada, &documents[0]).await, cut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_the_old_model_beside_a_new_one_does_not_undo_its_work() {
    let (app, _ada, _) = two_documents().await;
    let fake = FakeGemini::start().await;
    let (_replica, new) = with_gemini(&app, &fake).await;
    let old = app.worker();
    worker::begin(&old).await.expect("begun");
    worker::begin(&new).await.expect("begun");
    worker::drain(&new).await.expect("drained");
    assert_eq!(models(&app).await, [GEMINI]);
    let mut conn = app.database().connect().await;
    let begun = db::documents::refresh::begin(&mut conn, MOCK, 100).await;
    assert_eq!(begun.expect("none"), 0);
    let choices = dump(&mut conn, "embedding_models").await;
    worker::begin(&new).await.expect("begun again");
    assert_eq!(dump(&mut conn, "embedding_models").await, choices);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_the_old_model_leaves_new_documents_to_the_others() {
    let (app, ada, _) = two_documents().await;
    let fake = FakeGemini::start().await;
    let (_replica, new) = with_gemini(&app, &fake).await;
    worker::begin(&new).await.expect("begun");
    let document = upload(&ada, "new.md", "Water boils.").await;
    worker::drain(&app.worker()).await.expect("drained");
    let path = format!("/api/documents/{}", document["id"].as_str().expect("an id"));
    assert_eq!(ada.get(&path).await.json()["status"], "processing");
    app.database()
        .run("UPDATE jobs SET run_at = now() WHERE state = 'queued'")
        .await;
    worker::drain(&new).await.expect("drained");
    assert_eq!(ada.get(&path).await.json()["status"], "completed");
    assert_eq!(models(&app).await, [GEMINI]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_model_that_is_gone_keeps_nobody_from_searching() {
    let (app, ada, _) = two_documents().await;
    let fake = FakeGemini::start().await;
    let (replica, worker) = with_gemini(&app, &fake).await;
    let there = ada.at(&replica.url);
    app.database()
        .run("UPDATE embedding_models SET name = 'gemini/ended-model'")
        .await;
    fake.script([Cue {
        model: Some("ended-model".into()),
        times: Some(0),
        ..Cue::status(404)
    }]);
    let document = upload(&ada, "new.md", "Water boils.").await;
    worker::drain(&worker).await.expect("drained");
    assert_eq!(document["fileName"], "new.md");
    assert_eq!(found(&there).await, ["new.md"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_make_each_document_anew_once() {
    let (app, _ada, _) = two_documents().await;
    let fake = FakeGemini::start().await;
    let (_replica, _worker) = with_gemini(&app, &fake).await;
    let (mut one, mut other) = (
        app.database().connect().await,
        app.database().connect().await,
    );
    db::documents::refresh::choose(&mut one, GEMINI)
        .await
        .expect("chosen");
    let (a, b) = tokio::join!(
        db::documents::refresh::begin(&mut one, GEMINI, 100),
        db::documents::refresh::begin(&mut other, GEMINI, 100),
    );
    assert_eq!(a.expect("some") + b.expect("the rest"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_be_made_anew_is_found_as_it_was() {
    let (app, ada, _) = two_documents().await;
    let refusing = Scripted::new(|_| async { Err(ProviderError::Unauthorized("no".into())) });
    let worker = worker_with(&app, refusing);
    worker::begin(&worker).await.expect("begun");
    worker::drain(&worker).await.expect("drained");
    let listed = ada.get("/api/documents").await.json();
    for document in listed.as_array().expect("a list") {
        assert_eq!(document["errorCode"], "provider_unauthorized");
    }
    assert_eq!(found(&ada).await, ["bees.md", "copper.md"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_by_older_rules_is_cut_again_without_asking_the_model_twice() {
    let (app, ada, documents) = two_documents().await;
    let cut = passages_of(&ada, &documents[0]).await;
    app.database()
        .run("UPDATE documents SET live_chunker_version = 0")
        .await;
    let worker = app.worker();
    worker::begin(&worker).await.expect("begun");
    worker::drain(&worker).await.expect("drained");
    assert_eq!(passages_of(&ada, &documents[0]).await, cut);
    let mut conn = app.database().connect().await;
    let begun = db::documents::refresh::begin(&mut conn, MOCK, 100).await;
    assert_eq!(begun.expect("none"), 0);
}
