//! From what a request names to the model, its key and its prices.

use db::models::{ResolvedModel, default_of, prices_for, resolve};
use domain::{models::ModelKind, users::CompanyId};
use serde_json::json;
use tests::support::{App, Client};

use super::{add, named, path};

async fn company_of(app: &App, client: &Client) -> CompanyId {
    use db::schema::users;
    use diesel::{ExpressionMethods as _, QueryDsl as _};
    use diesel_async::RunQueryDsl as _;
    let mut conn = app.inner.pool.get().await.expect("a connection");
    users::table
        .filter(users::email.eq(client.email()))
        .select(users::company_id)
        .first(&mut conn)
        .await
        .expect("a company")
}

async fn find(app: &App, client: &Client, wanted: &str) -> Option<ResolvedModel> {
    let company = company_of(app, client).await;
    let mut conn = app.inner.pool.get().await.expect("a connection");
    let wanted = wanted.parse().expect("a reference");
    resolve(&mut conn, company, &wanted)
        .await
        .expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_found_by_id_by_name_with_provider_or_without_and_by_alias() {
    let app = App::start().await;
    let admin = app.register().await;
    let model = named(&admin, "gemini-3.8-flash").await;
    for wanted in [
        model["id"].as_str().expect("an id"),
        "gemini/gemini-3.8-flash",
        "gemini-3.8-flash",
        "gemini-flash-latest",
        "gemini-3.7-flash",
    ] {
        let found = find(&app, &admin, wanted).await.expect(wanted);
        assert_eq!(found.model.name.as_str(), "gemini-3.8-flash", "{wanted}");
        assert!(found.key.is_none());
        assert_eq!(found.model.prices.0.len(), 2);
        assert!(!found.model.capabilities.sampling);
    }
    for wanted in ["openai/gemini-3.8-flash", "gemini-3.8", "", "mock/"] {
        if let Ok(reference) = wanted.parse() {
            let mut conn = app.inner.pool.get().await.expect("a connection");
            let company = company_of(&app, &admin).await;
            let found = resolve(&mut conn, company, &reference).await;
            assert!(found.expect("an answer").is_none(), "{wanted}");
        }
    }
    let mock = find(&app, &admin, "mock/text-1").await.expect("the mock");
    assert_eq!(mock.model.model.as_str(), "text-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_companys_own_row_comes_first_and_a_hidden_one_is_not_offered() {
    let app = App::start().await;
    let (ours, theirs) = (app.register().await, app.register().await);
    let own = add(
        &ours,
        json!({"provider": "gemini", "model": "gemini-3.8-flash"}),
    )
    .await;
    let of_ours = find(&app, &ours, "gemini/gemini-3.8-flash")
        .await
        .expect("found");
    assert_eq!(own["id"], of_ours.model.id.to_string());
    let of_theirs = find(&app, &theirs, "gemini/gemini-3.8-flash")
        .await
        .expect("found");
    assert!(of_theirs.model.is_global);
    assert!(
        find(&app, &theirs, own["id"].as_str().expect("an id"))
            .await
            .is_none()
    );

    ours.patch(&path(&own), &json!({"isActive": false}))
        .await
        .expect(200);
    assert!(
        find(&app, &ours, own["id"].as_str().expect("an id"))
            .await
            .is_none()
    );
    let next = find(&app, &ours, "gemini-3.8-flash").await.expect("found");
    assert!(next.model.is_global);
    let seeded = format!("/api/models/{}", next.model.id);
    ours.patch(&seeded, &json!({"isActive": false}))
        .await
        .expect(200);
    assert!(find(&app, &ours, "gemini-3.8-flash").await.is_none());
    assert!(find(&app, &theirs, "gemini-3.8-flash").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_name_the_default_of_the_kind_is_taken() {
    let app = App::start().await;
    let admin = app.register().await;
    let company = company_of(&app, &admin).await;
    let mut conn = app.inner.pool.get().await.expect("a connection");
    let found = default_of(&mut conn, company, ModelKind::Text).await;
    let found = found.expect("an answer").expect("a default");
    assert_eq!(found.model.name.as_str(), "gemini-3.5-flash-lite");
    add(&admin, json!({"isDefault": true})).await;
    let found = default_of(&mut conn, company, ModelKind::Text).await;
    assert_eq!(
        found
            .expect("an answer")
            .expect("a default")
            .model
            .name
            .as_str(),
        "house-model"
    );
    let image = default_of(&mut conn, company, ModelKind::Image).await;
    let image = image.expect("an answer").expect("a default").model.id;
    let hide = json!({"isActive": false});
    admin
        .patch(&format!("/api/models/{image}"), &hide)
        .await
        .expect(200);
    let none = default_of(&mut conn, company, ModelKind::Image).await;
    assert!(none.expect("an answer").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_the_one_the_model_names_or_the_newest_default() {
    let app = App::start().await;
    let (ours, theirs) = (app.register().await, app.register().await);
    let key = async |client: &Client, members: serde_json::Value| {
        let mut body = json!({"provider": "openai", "key": "sk-0123456789"});
        for (name, value) in members.as_object().expect("members") {
            body[name] = value.clone();
        }
        let made = client.post("/api/provider-keys", &body).await;
        made.expect(201).json()["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    key(&ours, json!({"label": "first"})).await;
    let newest = key(&ours, json!({"label": "newest"})).await;
    let proxy = key(
        &ours,
        json!({"label": "proxy", "baseUrl": "https://llm.example.com/v1/"}),
    )
    .await;
    key(&theirs, json!({"label": "theirs"})).await;
    key(
        &ours,
        json!({"label": "other provider", "provider": "anthropic"}),
    )
    .await;

    let used = async |wanted: &str| find(&app, &ours, wanted).await.expect(wanted).key;
    let of_seeded = used("gpt-6-luna").await.expect("a key");
    assert_eq!(
        (of_seeded.id.to_string(), of_seeded.base_url),
        (newest.clone(), None)
    );
    assert!(used("gemini-3.8-flash").await.is_none());
    let model = add(&ours, json!({"providerKeyId": proxy})).await;
    let of_own = used("house-model").await.expect("a key");
    assert_eq!(of_own.id.to_string(), proxy);
    assert_eq!(
        of_own.base_url.as_deref(),
        Some("https://llm.example.com/v1")
    );
    ours.patch(&path(&model), &json!({"providerKeyId": null}))
        .await
        .expect(200);
    assert_eq!(
        used("house-model").await.expect("a key").id.to_string(),
        newest
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_paid_by_the_model_that_gave_it() {
    let app = App::start().await;
    let admin = app.register().await;
    let company = company_of(&app, &admin).await;
    let by = async |asked: &str, version: &str| {
        let asked = find(&app, &admin, asked).await.expect(asked).model;
        let mut conn = app.inner.pool.get().await.expect("a connection");
        let priced = prices_for(&mut conn, company, &asked, version)
            .await
            .expect("prices");
        let model = db::models::find(&mut conn, company, priced.model_id).await;
        let model = model.expect("an answer").expect("the model");
        assert_eq!(model.prices, priced.prices);
        model.name.as_str().to_owned()
    };
    for (asked, version, paid_by) in [
        ("gemini-3.8-flash", "gemini-3.8-flash", "gemini-3.8-flash"),
        (
            "gemini-3.8-flash",
            "models/gemini-3.8-flash-001",
            "gemini-3.8-flash",
        ),
        ("gpt-6-luna", "gpt-6-luna-2026-08-01", "gpt-6-luna"),
        (
            "claude-haiku-4-5",
            "claude-haiku-4-5-20251001",
            "claude-haiku-4-5",
        ),
        // Google lets another model answer.
        (
            "gemini-2.5-flash",
            "gemini-3.5-flash-lite",
            "gemini-3.5-flash-lite",
        ),
        ("gemini-2.5-pro", "gemini-3.8-flash-002", "gemini-3.8-flash"),
        (
            "gemini-2.5-flash",
            "gemini-2.5-flash-lite-preview-06-17",
            "gemini-2.5-flash-lite",
        ),
        (
            "gemini-3.6-flash",
            "gemini-flash-latest",
            "gemini-3.8-flash",
        ),
        // Nobody knows the answer's model, or it has none.
        ("gemini-2.5-flash", "gemini-9-neon", "gemini-2.5-flash"),
        ("gpt-6-luna", "gpt-6-luna-mini", "gpt-6-luna"),
        ("gpt-6-luna", "claude-haiku-4-5", "gpt-6-luna"),
        ("gpt-6-luna", "", "gpt-6-luna"),
    ] {
        assert_eq!(by(asked, version).await, paid_by, "{asked} -> {version}");
    }
    add(
        &admin,
        json!({"provider": "gemini", "model": "gemini-3.5-flash-lite", "name": "ours"}),
    )
    .await;
    assert_eq!(
        by("gemini-2.5-flash", "gemini-3.5-flash-lite").await,
        "ours"
    );
}
