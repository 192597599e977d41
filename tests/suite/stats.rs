//! Numbers of a company: right at every moment, whether they are added up already or not.

use chrono::{Days, Utc};
use diesel_async::RunQueryDsl as _;
use serde_json::{Value, json};
use tests::support::{App, Client};

const SUMMARY: &str = "/api/stats/summary";
const SERIES: &str = "/api/stats/timeseries";

async fn template(client: &Client, name: &str) -> Value {
    let body = json!({"name": name, "bodyMd": "Do {{task}}", "lintJson": {"properties": {"task": {"type": "string"}}}});
    let made = client.post("/api/prompt-templates", &body).await;
    made.expect(201).json()
}

/// Prompts generated at a moment, as the database keeps them.
async fn generated(app: &App, who: &Client, template: &Value, at: &str, times: u32) {
    let (id, version) = (template["id"].as_str(), template["versionId"].as_str());
    let sql = format!(
        "INSERT INTO generation_events (id, company_id, user_id, template_id, template_version_id, tokens, at)
         SELECT gen_random_uuid(), company_id, id, '{}', '{}', 10, {at} FROM users, generate_series(1, {times})
         WHERE id = '{}'",
        id.expect("an id"),
        version.expect("a version"),
        who.id()
    );
    let mut conn = app.database().connect().await;
    diesel::sql_query(sql)
        .execute(&mut conn)
        .await
        .expect("rows");
}

async fn fold(app: &App) {
    let mut conn = app.database().connect().await;
    while db::stats::fold(&mut conn).await.expect("a fold") {}
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_are_the_same_before_while_and_after_they_are_added_up() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let (one, two) = (template(&ada, "One").await, template(&ada, "Two").await);
    generated(&app, &ada, &one, "clock_timestamp()", 3).await;
    generated(&app, &bob, &two, "clock_timestamp()", 4).await;
    let before = ada.get(SUMMARY).await.expect(200).json();
    assert_eq!(
        (
            &before["promptsToday"],
            &before["prompts"],
            &before["tokens"],
            &before["avgTokens"]
        ),
        (&json!(7), &json!(7), &json!(70), &json!(10.0)),
        "{before}"
    );
    let told = |summary: &Value, of: &str| -> Vec<(Value, Value)> {
        let shares = summary[of].as_array().expect("shares").iter();
        shares
            .map(|share| (share["name"].clone(), share["prompts"].clone()))
            .collect()
    };
    assert_eq!(
        told(&before, "templates"),
        [(json!("Two"), json!(4)), (json!("One"), json!(3))]
    );
    assert_eq!(told(&before, "users").len(), 2);
    let series = ada
        .get(&format!("{SERIES}?by=user&interval=week"))
        .await
        .expect(200)
        .json();
    fold(&app).await;
    assert_eq!(ada.get(SUMMARY).await.expect(200).json(), before);
    let again = ada
        .get(&format!("{SERIES}?by=user&interval=week"))
        .await
        .expect(200)
        .json();
    assert_eq!(again, series);
    assert_eq!(
        series["series"][0]["points"]
            .as_array()
            .expect("points")
            .iter()
            .map(|point| point["prompts"].as_i64().unwrap_or(0))
            .sum::<i64>(),
        4
    );
    // What comes after the fold is counted beside it, and folded once.
    generated(&app, &ada, &one, "clock_timestamp()", 2).await;
    for _ in 0..2 {
        let summary = ada.get(SUMMARY).await.expect(200).json();
        assert_eq!(
            (&summary["prompts"], &summary["tokens"]),
            (&json!(9), &json!(90))
        );
        assert_eq!(told(&summary, "templates")[0].1, 5);
        fold(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_commits_late_is_neither_lost_nor_counted_twice() {
    let app = App::start().await;
    let ada = app.register().await;
    let one = template(&ada, "One").await;
    let mut late = app.database().connect().await;
    let sql = |statement: String| diesel::sql_query(statement);
    sql("BEGIN".into()).execute(&mut late).await.expect("begun");
    let insert = format!(
        "INSERT INTO generation_events (id, company_id, user_id, template_id, template_version_id, tokens)
         SELECT gen_random_uuid(), company_id, id, '{}', '{}', 5 FROM users WHERE id = '{}'",
        one["id"].as_str().expect("an id"),
        one["versionId"].as_str().expect("a version"),
        ada.id()
    );
    sql(insert).execute(&mut late).await.expect("a row");
    generated(&app, &ada, &one, "clock_timestamp()", 1).await;
    fold(&app).await;
    assert_eq!(ada.get(SUMMARY).await.expect(200).json()["prompts"], 1);
    sql("COMMIT".into())
        .execute(&mut late)
        .await
        .expect("committed");
    for _ in 0..2 {
        assert_eq!(ada.get(SUMMARY).await.expect(200).json()["tokens"], 15);
        fold(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_has_a_point_for_every_stretch_and_costs_are_those_of_runs() {
    let app = App::start().await;
    let ada = app.register().await;
    let one = template(&ada, "One").await;
    generated(&app, &ada, &one, "now() - interval '2 days'", 2).await;
    let today = Utc::now().date_naive();
    let (from, to) = (today - Days::new(6), today);
    let path = format!("{SERIES}?from={from}&to={to}");
    let series = ada.get(&path).await.expect(200).json();
    let points = series["points"].as_array().expect("points");
    let prompts: Vec<_> = points
        .iter()
        .map(|point| point["prompts"].as_i64())
        .collect();
    assert_eq!(prompts, [0, 0, 0, 0, 2, 0, 0].map(Some));
    assert_eq!(points[0]["at"], format!("{from}T00:00:00Z"));
    assert_eq!(points[0]["cost"], "0");
    let hours = ada.get(&format!("{SERIES}?from={to}&interval=hour")).await;
    assert_eq!(
        hours.expect(200).json()["points"].as_array().map(Vec::len),
        Some(24)
    );

    let run = json!({"prompt": {"title": "Tried", "promptText": "[[mock: echo]] Say it"}});
    let prompt = ada
        .post("/api/prompts", &run["prompt"])
        .await
        .expect(201)
        .json();
    let priced = json!({"provider": "mock", "model": "priced-1", "label": "Priced", "kind": "text",
        "prices": [{"effectiveFrom": "2020-01-01T00:00:00Z", "input": "1.333", "output": "7.777"}]});
    let model = ada.post("/api/models", &priced).await;
    let model = model.expect(201).json();
    let body =
        json!({"promptId": prompt["id"], "modelIds": [model["id"]], "repeats": 2, "cache": "off"});
    let started = ada.post("/api/runs", &body).await;
    let run = started.expect(201).json();
    app.drain().await;
    let run = ada
        .get(&format!("/api/runs/{}", run["id"].as_str().expect("an id")))
        .await
        .json();
    let summary = ada.get(SUMMARY).await.expect(200).json();
    assert_eq!(summary["cost"], run["summary"]["totalCost"], "{summary}");
    assert_ne!(summary["cost"], "0");
    assert_eq!(
        (&summary["runs"], &summary["cells"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(summary["before"]["cells"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_leads_and_admins_read_numbers_and_only_their_own() {
    let app = App::start().await;
    let (ada, eve) = (app.register().await, app.register().await);
    let one = template(&ada, "One").await;
    generated(&app, &ada, &one, "clock_timestamp()", 2).await;
    let lead = app.member(&ada, "lead").await;
    let developer = app.member(&ada, "developer").await;
    assert_eq!(lead.get(SUMMARY).await.expect(200).json()["prompts"], 2);
    developer
        .get(SUMMARY)
        .await
        .expect_problem(403, "forbidden");
    developer.get(SERIES).await.expect_problem(403, "forbidden");
    for is_folded in [false, true] {
        if is_folded {
            fold(&app).await;
        }
        let hers = eve.get(SUMMARY).await.expect(200).json();
        assert_eq!((&hers["prompts"], &hers["users"]), (&json!(0), &json!([])));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_and_intervals_that_cannot_be_are_told() {
    let app = App::start().await;
    let ada = app.register().await;
    for (query, field) in [
        ("?from=2026-02-02&to=2026-02-01", "from"),
        ("?from=1999-02-02", "from"),
        ("?to=tomorrow", "to"),
        ("?from=2026-01-01&to=2026-06-01&interval=hour", "interval"),
        (
            "?by=user&interval=hour&from=2026-01-01&to=2026-01-01",
            "interval",
        ),
        ("?by=everything", "by"),
        ("?days=7", "days"),
    ] {
        let reply = ada.get(&format!("{SERIES}{query}")).await;
        reply.expect_problem(400, "invalid_query");
        assert_eq!(reply.faulty_fields(), [field], "{query}");
    }
}
